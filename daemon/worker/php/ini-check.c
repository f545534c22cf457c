/* SPDX-License-Identifier: MIT */

/*
 * Whether php.ini and the files beside it are well-formed. PHP itself goes on with what it understood of a
 * broken file, which a pool that serves already must not do: a reload is refused, with PHP's own sentence of
 * what is wrong where. So the files are read a second time, without effect.
 */

#include "worker/php/internal.h"

#include <dirent.h>
#include <zend_ini_scanner.h>

static void on_checked_line(zval *name, zval *value, zval *offset, int type, void *arg)
{
        (void) name;
        (void) value;
        (void) offset;
        (void) type;
        (void) arg;
}

/* A file that is missing is no error here. */
static bool check_file(const char *path)
{
        zend_file_handle handle;
        FILE *f;
        int r;

        f = fopen(path, "re");
        if (!f)
                return true;
        zend_stream_init_fp(&handle, f, path);
        r = zend_parse_ini_file(&handle, false, ZEND_INI_SCANNER_NORMAL, on_checked_line, NULL);
        zend_destroy_file_handle(&handle);
        return r == SUCCESS;
}

static bool check_directory(const char *path)
{
        char file[MAXPATHLEN];
        struct dirent *entry;
        bool good = true;
        DIR *d;

        d = opendir(path);
        if (!d)
                return true;
        while (good && (entry = readdir(d))) {
                const char *dot = strrchr(entry->d_name, '.');

                if (!dot || !streq(dot, ".ini"))
                        continue;
                (void) snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
                good = check_file(file);
        }
        (void) closedir(d);
        return good;
}

/* The directories of php.ini_scan_dir, where an empty one stands for libphp's own. */
static bool check_scanned(const char *directories)
{
        zval *own = zend_get_constant_str(ZEND_STRL("PHP_CONFIG_FILE_SCAN_DIR"));

        for (const char *p = directories; p; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
                char path[MAXPATHLEN];
                size_t n = strcspn(p, ":");

                (void) snprintf(path, sizeof path, "%.*s", (int) n, p);
                if (n == 0 && own)
                        (void) snprintf(path, sizeof path, "%s", Z_STRVAL_P(own));
                if (!check_directory(path))
                        return false;
        }
        return true;
}

bool ini_check_files(void)
{
        const char *directories = getenv("PHP_INI_SCAN_DIR");
        char *file = NULL;

        if (cfg_get_string("cfg_file_path", &file) == SUCCESS && file && !check_file(file))
                return false;
        return check_scanned(directories ? directories : "");
}
