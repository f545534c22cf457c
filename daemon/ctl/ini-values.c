/* SPDX-License-Identifier: MIT */

/*
 * Reads a pool's ini files: see ini-values.h. PHP decides which there are, and in which order
 * (php_init_config()): one php.ini, then the files of php.ini_scan_dir by their names.
 */

#include "ctl/ini-values.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "config/ini.h"
#include "config/php.h"

/* Where libphp looks unless it is told, as Debian builds it. */
#define OWN_INI "/etc/php/%s/embed"
#define OWN_SCAN_DIR OWN_INI "/conf.d"

typedef struct IniLoader {
        IniValues *values;
        const char *root, *source;
        PhpVersion php; /* "" where none is known */
} IniLoader;

void ini_values_clear(IniValues *values)
{
        for (size_t i = 0; i < values->n; i++) {
                free(values->items[i].name);
                free(values->items[i].value);
        }
        for (size_t i = 0; i < values->n_files; i++)
                free(values->files[i]);
        free(values->items);
        free(values->files);
        free(values->error);
}

static int on_ini_entry(const char *section, const char *name, const char *value, void *userdata)
{
        IniLoader *l = userdata;
        IniValues *values = l->values;
        IniValue *items;

        /* [PATH=] and [HOST=] are for some requests only; other sections mean nothing. */
        if (strncasecmp(section, "PATH=", strlen("PATH=")) == 0 ||
            strncasecmp(section, "HOST=", strlen("HOST=")) == 0)
                return 0;
        if (values->n == INI_VALUES_MAX)
                return -E2BIG;
        items = reallocarray(values->items, values->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        values->items = items;
        items[values->n] = (IniValue){ strdup(name), value ? strdup(value) : NULL, l->source };
        if (!items[values->n].name || (value && !items[values->n].value)) {
                free(items[values->n].name);
                free(items[values->n].value);
                return -ENOMEM;
        }
        values->n++;
        return 0;
}

/* Keeps the name of a file that values come from. */
static int keep_source(IniLoader *l, const char *path)
{
        char **files = reallocarray(l->values->files, l->values->n_files + 1, sizeof *files);

        if (!files)
                return -ENOMEM;
        l->values->files = files;
        l->source = files[l->values->n_files] = strdup(path);
        if (!l->source)
                return -ENOMEM;
        l->values->n_files++;
        return 0;
}

static int load_file(IniLoader *l, const char *path)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *text = NULL;
        char full[PATH_MAX];
        IniError error;
        void *data;
        size_t size;
        int r;

        (void) snprintf(full, sizeof full, "%s%s", l->root, path);
        fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0 || io_read_file(fd, INI_FILE_SIZE_MAX, &data, &size) < 0)
                return 0;
        text = data;
        r = keep_source(l, path);
        if (r >= 0)
                r = ini_parse(text, on_ini_entry, l, &error);
        if (r != -EINVAL)
                return r;
        if (l->values->error)
                return 0;
        return text_format(&l->values->error, "%s:%u: is no ini file: %s", path, error.line, error.text);
}

/* A file, or a directory that has it. */
static int load_main_ini(IniLoader *l, const char *path)
{
        char full[PATH_MAX], file[PATH_MAX];
        struct stat st;

        (void) snprintf(full, sizeof full, "%s%s", l->root, path);
        if (stat(full, &st) < 0 || !S_ISDIR(st.st_mode))
                return load_file(l, path);
        (void) snprintf(file, sizeof file, "%s/php-fpm-fcgi.ini", path);
        (void) snprintf(full, sizeof full, "%s%s", l->root, file);
        if (stat(full, &st) < 0)
                (void) snprintf(file, sizeof file, "%s/php.ini", path);
        return load_file(l, file);
}

static int is_ini(const struct dirent *entry)
{
        const char *dot = strrchr(entry->d_name, '.');

        return dot && streq(dot, ".ini");
}

static int load_directory(IniLoader *l, const char *path)
{
        struct dirent **entries = NULL;
        char full[PATH_MAX];
        int n, r = 0;

        (void) snprintf(full, sizeof full, "%s%s", l->root, path);
        n = scandir(full, &entries, is_ini, alphasort);
        for (int i = 0; i < n; i++) {
                char file[PATH_MAX + NAME_MAX + 2];

                (void) snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
                if (r >= 0)
                        r = load_file(l, file);
                free(entries[i]);
        }
        free(entries);
        return r;
}

static int load_scanned(IniLoader *l, const char *directories)
{
        int r = 0;

        for (const char *p = directories; p && r >= 0; p = strchr(p, ':') ? strchr(p, ':') + 1 : NULL) {
                char path[PATH_MAX];
                size_t n = strcspn(p, ":");

                if (n > 0)
                        (void) snprintf(path, sizeof path, "%.*s", (int) MIN(n, sizeof path - 1), p);
                else
                        (void) snprintf(path, sizeof path, OWN_SCAN_DIR, l->php);
                if (n > 0 || *l->php)
                        r = load_directory(l, path);
        }
        return r;
}

static int load_lines(IniLoader *l, char *const *lines, const char *source)
{
        int r = 0;

        l->source = source;
        for (; *lines && r >= 0; lines++) {
                _cleanup_(freep) char *text = NULL;
                IniError error;

                if (text_format(&text, "%s\n", *lines) < 0)
                        return -ENOMEM;
                r = ini_parse(text, on_ini_entry, l, &error);
        }
        return r;
}

int ini_values_load(const char *root, const Config *config, IniValues *ret)
{
        IniLoader l = { .values = ret, .root = root };
        char own[sizeof OWN_INI + sizeof l.php];
        int r = 0;

        assert(!*root || *root == '/');

        *ret = (IniValues){};
        /* A version that the pool file names has its files, whether that PHP is installed or not. */
        if (php_find(php_directory(), config->php_version, &l.php) < 0)
                (void) snprintf(l.php, sizeof l.php, "%s", config->php_version);
        (void) snprintf(own, sizeof own, OWN_INI, l.php);
        if (*config->php_ini || *l.php)
                r = load_main_ini(&l, *config->php_ini ? config->php_ini : own);
        if (r >= 0)
                r = load_scanned(&l, config->php_ini_scan_dir);
        if (r >= 0)
                r = load_lines(&l, config->php_value, "php.value");
        return r < 0 ? r : load_lines(&l, config->php_admin_value, "php.admin_value");
}

const IniValue *ini_values_find(const IniValues *values, const char *name)
{
        for (size_t i = values->n; i-- > 0;)
                if (streq(values->items[i].name, name))
                        return &values->items[i];
        return NULL;
}

const char *ini_values_session_path(const IniValues *values, const char *value)
{
        const IniValue *handler = ini_values_find(values, "session.save_handler");
        const char *semicolon = strrchr(value, ';');

        if (handler && (!handler->value || strcasecmp(handler->value, "files") != 0))
                return "";
        return semicolon ? semicolon + 1 : value;
}
