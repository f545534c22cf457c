/* SPDX-License-Identifier: MIT */

/*
 * What several verbs need: how a failure is told, and which pools there are by the files that they have.
 * Nothing here asks a manager or systemd.
 */

#include "ctl/ctl.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/log.h"
#include "ipc/control.h"

#define FILE_SUFFIX ".conf"

CtlExit ctl_fail(int error, const char *format, ...)
{
        char message[LOG_MESSAGE_MAX];
        va_list ap;

        errno = abs(error);
        va_start(ap, format);
        (void) vsnprintf(message, sizeof message, format, ap);
        va_end(ap);

        if (log_to_journal())
                log_error("%s", message);
        else
                fprintf(stderr, "%s\n", message);
        return CTL_FAILURE;
}

CtlExit ctl_fail_no_answer(const char *pool)
{
        return ctl_fail(0, "Pool %s does not answer.", pool);
}

CtlExit ctl_fail_no_pool(const char *pool)
{
        (void) ctl_fail(0, "There is no pool %s: it has no file " CONFIG_DIR "/%s" FILE_SUFFIX ".", pool,
                        pool);
        return CTL_NO_SUCH_POOL;
}

char *ctl_pool_argument(char *argument)
{
        static const char *const suffixes[] = { ".service", ".socket" };
        size_t n;

        if (!startswith(argument, CTL_UNIT_PREFIX))
                return argument;
        argument += strlen(CTL_UNIT_PREFIX);
        n = strlen(argument);
        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                size_t n_suffix = strlen(suffixes[i]);

                if (n > n_suffix && streq(argument + n - n_suffix, suffixes[i])) {
                        argument[n - n_suffix] = 0;
                        break;
                }
        }
        return argument;
}

int ctl_pool_file(const char *pool, char **ret)
{
        if (asprintf(ret, CONFIG_DIR "/%s" FILE_SUFFIX, pool) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

bool ctl_pool_exists(const char *pool)
{
        _cleanup_(freep) char *file = NULL, *control = NULL;
        struct stat st;

        if (!pool_name_valid(pool))
                return false;
        if (ctl_pool_file(pool, &file) < 0 || control_socket_path(pool, &control) < 0)
                return false;
        if (stat(file, &st) >= 0)
                return true;

        *strrchr(control, '/') = 0;
        return stat(control, &st) >= 0 && S_ISDIR(st.st_mode);
}

void ctl_names_free(char **names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

/* The pool that a directory entry stands for, a new string; NULL for none. */
typedef char *EntryToPool(const struct dirent *entry);

static char *pool_of_file(const struct dirent *entry)
{
        size_t n = strlen(entry->d_name), n_suffix = strlen(FILE_SUFFIX);
        char *name;

        if (n <= n_suffix || !streq(entry->d_name + n - n_suffix, FILE_SUFFIX))
                return NULL;
        name = strndup(entry->d_name, n - n_suffix);
        if (name && !pool_name_valid(name)) {
                free(name);
                return NULL;
        }
        return name;
}

static char *pool_of_runtime_directory(const struct dirent *entry)
{
        char path[PATH_MAX];
        struct stat st;

        if (!pool_name_valid(entry->d_name))
                return NULL;
        (void) snprintf(path, sizeof path, CONTROL_RUN_DIR "/%s/control", entry->d_name);
        return stat(path, &st) >= 0 && S_ISSOCK(st.st_mode) ? strdup(entry->d_name) : NULL;
}

static int list_pools(const char *directory, EntryToPool *to_pool, char ***ret_names, size_t *ret_n)
{
        struct dirent **entries;
        char **names;
        size_t n = 0;
        int n_entries;

        n_entries = scandir(directory, &entries, NULL, alphasort);
        if (n_entries < 0 && errno != ENOENT)
                return -errno;

        names = calloc((size_t) MAX(n_entries, 0) + 1, sizeof *names);
        for (int i = 0; i < n_entries; i++) {
                char *name = names ? to_pool(entries[i]) : NULL;

                if (name)
                        names[n++] = name;
                free(entries[i]);
        }
        if (n_entries >= 0)
                free(entries);
        if (!names)
                return -ENOMEM;

        *ret_names = names;
        *ret_n = n;
        return 0;
}

int ctl_configured_pools(char ***ret_names, size_t *ret_n)
{
        return list_pools(CONFIG_DIR, pool_of_file, ret_names, ret_n);
}

int ctl_running_pools(char ***ret_names, size_t *ret_n)
{
        return list_pools(CONTROL_RUN_DIR, pool_of_runtime_directory, ret_names, ret_n);
}
