/* SPDX-License-Identifier: MIT */

/*
 * Links that lead to the socket of a pool of PHP-FPM, such as Debian's /run/php/php-fpm.sock: Symlinks= of
 * its socket, as whoever made them goes with PHP-FPM. See internal.h. Asks the system; writes nothing.
 */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/import/fpm-version.h"
#include "ctl/import/internal.h"

/* The most links behind each other. */
#define HOPS_MAX 8

/* Debian's alternative, made by a helper for the pool in this file of the newest PHP that runs. */
#define DEBIAN_LINK "/run/php/php-fpm.sock"
#define DEBIAN_HELPER "/usr/lib/php/php-fpm-socket-helper"
#define DEBIAN_FILE "/fpm/pool.d/www.conf"

/* The path with the links of its directory resolved; false where that is not there. */
static bool resolve_directory(const char *path, char ret[static PATH_MAX])
{
        const char *slash = strrchr(path, '/');
        char directory[PATH_MAX], real[PATH_MAX];

        if (!slash || strlen(path) >= PATH_MAX)
                return false;
        (void) snprintf(directory, sizeof directory, "%.*s", (int) MAX(slash - path, (ptrdiff_t) 1), path);
        return realpath(directory, real) &&
               snprintf(ret, PATH_MAX, "%s%s", streq(real, "/") ? "" : real, slash) < PATH_MAX;
}

/* Whether the link leads to the address, which need not be there. */
static bool leads_to(const char *link, const char *address)
{
        char path[PATH_MAX], wanted[PATH_MAX], at[PATH_MAX], target[PATH_MAX];

        if (!resolve_directory(link, path) || !resolve_directory(address, wanted) || streq(path, wanted))
                return false;
        for (size_t i = 0; i < HOPS_MAX; i++) {
                ssize_t n = readlink(path, target, sizeof target - 1);
                int size;

                if (n < 0)
                        return false;
                target[n] = 0;
                size = *target == '/' ? snprintf(at, sizeof at, "%s", target)
                                      : snprintf(at, sizeof at, "%.*s/%s", (int) (strrchr(path, '/') - path),
                                                 path, target);
                if (size < 0 || (size_t) size >= sizeof at || !resolve_directory(at, path))
                        return false;
                if (streq(path, wanted))
                        return true;
        }
        return false;
}

static int write_link(ImportPool *p, const FpmEntry *listen, const char *link, FILE *f)
{
        fputs("Symlinks=", f);
        if (!unit_write_word(link, f))
                return import_note(p, listen, true, "%s leads to it, and no unit can hold that link", link);
        fputc('\n', f);
        return import_note(p, listen, false, "%s, which leads to it, becomes the socket's Symlinks=", link);
}

static int write_links_of(ImportPool *p, const FpmEntry *listen, const char *directory, const char *address,
                          FILE *f)
{
        DIR *d = opendir(directory);
        struct dirent *entry;
        int r = 0;

        while (d && r >= 0 && (entry = readdir(d))) {
                char link[PATH_MAX];

                (void) snprintf(link, sizeof link, "%s/%s", directory, entry->d_name);
                if (leads_to(link, address))
                        r = write_link(p, listen, link, f);
        }
        if (d)
                (void) closedir(d);
        return r;
}

/* Where PHP-FPM does not run, its link is gone: whether it would be this pool's. */
static bool is_debians(const ImportPool *p)
{
        const char *version = startswith(p->section->file, IMPORT_PHP_DIR);
        size_t n = version ? strcspn(version, "/") : 0;
        struct stat st;
        struct dirent *entry;
        bool newest = true;
        DIR *d;

        if (n == 0 || !streq(version + n, DEBIAN_FILE) || lstat(DEBIAN_LINK, &st) >= 0 ||
            access(DEBIAN_HELPER, X_OK) < 0)
                return false;
        d = opendir(IMPORT_PHP_DIR);
        while (d && newest && (entry = readdir(d))) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof path, IMPORT_PHP_DIR "%s" DEBIAN_FILE, entry->d_name);
                newest = access(path, F_OK) < 0 || strverscmp(entry->d_name, version) <= 0 ||
                         strncmp(entry->d_name, version, n) == 0;
        }
        if (d)
                (void) closedir(d);
        return newest;
}

int import_links(ImportPool *p, const FpmEntry *listen, const char *address, FILE *f)
{
        const char *slash = strrchr(address, '/');
        char directory[PATH_MAX];
        int r;

        if (!p->import->look || !slash)
                return 0;
        (void) snprintf(directory, sizeof directory, "%.*s", (int) MAX(slash - address, (ptrdiff_t) 1),
                        address);
        r = write_links_of(p, listen, directory, address, f);
        if (r >= 0 && !streq(directory, "/run"))
                r = write_links_of(p, listen, "/run", address, f);
        if (r >= 0 && is_debians(p))
                r = write_link(p, listen, DEBIAN_LINK, f);
        return r;
}
