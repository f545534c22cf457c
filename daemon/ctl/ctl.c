/* SPDX-License-Identifier: MIT */

/*
 * Which pools there are, by the files and sockets that they have. Nothing here asks a manager or systemd.
 */

#include "ctl/ctl.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/text.h"
#include "ipc/names.h"

#define FILE_SUFFIX ".conf"

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
        if (text_format(ret, CONFIG_DIR "/%s" FILE_SUFFIX, pool) < 0)
                return -ENOMEM;
        return 0;
}

bool ctl_pool_exists(const char *pool)
{
        _cleanup_(freep) char *file = NULL, *control = NULL;
        struct stat st;

        if (!pool_name_valid(pool))
                return false;
        if (ctl_pool_file(pool, &file) < 0 || pool_socket_path(pool, POOL_SOCKET_CONTROL, &control) < 0)
                return false;
        return stat(file, &st) >= 0 || stat(control, &st) >= 0;
}

void ctl_names_free(char **names, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(names[i]);
        free(names);
}

/* Makes a name out of a file's name, as a new string; NULL where there is none in it. */
typedef char *ToName(const char *file);

/* The name before ".conf". Files with a dot in front are editors' temporary ones. */
static char *name_of_file(const char *file)
{
        size_t n = strlen(file), n_suffix = strlen(FILE_SUFFIX);

        if (file[0] == '.' || n <= n_suffix || !streq(file + n - n_suffix, FILE_SUFFIX))
                return NULL;
        return strndup(file, n - n_suffix);
}

static char *pool_of_file(const char *file)
{
        char *name = name_of_file(file);

        if (name && !pool_name_valid(name)) {
                free(name);
                return NULL;
        }
        return name;
}

static char *misnamed_file(const char *file)
{
        char *name = name_of_file(file);

        if (name && pool_name_valid(name)) {
                free(name);
                return NULL;
        }
        return name;
}

static char *pool_of_control_socket(const char *file)
{
        return pool_of_socket(file, POOL_SOCKET_CONTROL);
}

static int list_names(const char *directory, ToName *to_name, char ***ret_names, size_t *ret_n)
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
                char *name = names ? to_name(entries[i]->d_name) : NULL;

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
        return list_names(CONFIG_DIR, pool_of_file, ret_names, ret_n);
}

int ctl_running_pools(char ***ret_names, size_t *ret_n)
{
        return list_names(POOL_RUN_DIR, pool_of_control_socket, ret_names, ret_n);
}

int ctl_misnamed_files(char ***ret_names, size_t *ret_n)
{
        return list_names(CONFIG_DIR, misnamed_file, ret_names, ret_n);
}
