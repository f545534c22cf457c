/* SPDX-License-Identifier: MIT */

/*
 * Which PHPs there are, by the names of their workers: see php.h. Runs none of them, so one that is there
 * may all the same not start; the manager sees that when it does.
 */

#include "config/php.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/text.h"

#define WORKER_PREFIX "php-pool-worker-"

/* A number of one or two digits without a zero before it; returns what stands behind it, or NULL. */
static const char *skip_number(const char *s)
{
        size_t n = strspn(s, "0123456789");

        return n == 0 || n > 2 || (n == 2 && *s == '0') ? NULL : s + n;
}

bool php_version_valid(const char *version)
{
        const char *dot = skip_number(version), *end;

        end = dot && *dot == '.' ? skip_number(dot + 1) : NULL;
        return end && !*end;
}

const char *php_directory(void)
{
        return secure_getenv("PHP_POOL_WORKER_DIR") ?: PHP_POOL_WORKER_DIR;
}

/* Versions in their order: 810 for "8.10". */
static unsigned long rank(const char *version)
{
        assert(php_version_valid(version));
        return strtoul(version, NULL, 10) * 100 + strtoul(strchr(version, '.') + 1, NULL, 10);
}

bool php_version_supported(const char *version)
{
        assert(php_version_valid(version));
        return rank(version) >= rank(PHP_OLDEST);
}

/* At its place, newest first; where there is no more room, the oldest falls out. */
static void add_version(PhpList *list, const char *version)
{
        size_t i;

        if (list->n == PHP_LIST_MAX && rank(version) < rank(list->versions[list->n - 1]))
                return;
        list->n = MIN(list->n + 1, (size_t) PHP_LIST_MAX);
        for (i = list->n - 1; i > 0 && rank(version) > rank(list->versions[i - 1]); i--)
                memcpy(list->versions[i], list->versions[i - 1], sizeof list->versions[i]);
        (void) strcpy(list->versions[i], version);
}

/* A file that can be executed, and no link to one that is gone. */
static bool is_program(DIR *d, const char *name)
{
        struct stat st;

        return fstatat(dirfd(d), name, &st, 0) >= 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

int php_list(const char *directory, PhpList *ret)
{
        DIR *d = opendir(directory);
        struct dirent *entry;
        int r;

        *ret = (PhpList){};
        if (!d)
                return errno == ENOENT ? 0 : -errno;
        while ((errno = 0, entry = readdir(d))) {
                const char *version = startswith(entry->d_name, WORKER_PREFIX);

                if (version && php_version_valid(version) && is_program(d, entry->d_name))
                        add_version(ret, version);
        }
        r = -errno;
        (void) closedir(d);
        return r;
}

int php_choose(const PhpList *list, const char *wanted, PhpVersion *ret)
{
        for (size_t i = 0; i < list->n; i++)
                if (!*wanted || streq(list->versions[i], wanted)) {
                        memcpy(*ret, list->versions[i], sizeof *ret);
                        return 0;
                }
        return -ENOENT;
}

int php_find(const char *directory, const char *wanted, PhpVersion *ret)
{
        PhpList list;
        int r;

        r = php_list(directory, &list);
        return r < 0 ? r : php_choose(&list, wanted, ret);
}

/* "there are 8.2, 8.4 and 8.5", oldest first. */
static void write_versions(const PhpList *list, FILE *f)
{
        fputs(list->n == 1 ? "there is " : "there are ", f);
        for (size_t i = list->n; i-- > 0;)
                fprintf(f, "%s%s", list->versions[i], i > 1 ? ", " : i == 1 ? " and " : "");
}

int php_missing(const char *directory, const PhpList *list, const char *wanted, char **ret)
{
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        if (*wanted && !php_version_supported(wanted))
                fprintf(text.f, "%s is too old, php-pool runs PHP " PHP_OLDEST " and later", wanted);
        else if (*wanted)
                fprintf(text.f, "%s is not installed here", wanted);
        else
                fputs("no PHP is installed here", text.f);
        if (list->n == 0)
                fprintf(text.f, ": there is no worker in %s", directory);
        else {
                fputs(": ", text.f);
                write_versions(list, text.f);
        }
        if (!*wanted)
                fputs("; install the package phpX.Y-pool, X.Y being its version", text.f);
        else if (rank(wanted) > rank(PHP_NEWEST))
                fputs("; the newest that this php-pool knows is " PHP_NEWEST, text.f);
        else if (php_version_supported(wanted))
                fprintf(text.f, "; install the package php%s-pool", wanted);
        return text_close(&text, 0, ret);
}

int php_worker_path(const char *directory, const char *version, char **ret)
{
        assert(php_version_valid(version));
        return text_format(ret, "%s/" WORKER_PREFIX "%s", directory, version);
}

int php_extensions_path(const char *directory, const char *version, char **ret)
{
        assert(php_version_valid(version));
        return text_format(ret, "%s/%s/extensions", directory, version);
}
