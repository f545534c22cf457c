/* SPDX-License-Identifier: MIT */

/* Manager and worker of different builds: see upgrade.h. It decides nothing. */

#include "manager/life/upgrade.h"

#include <limits.h>
#include <unistd.h>

#include "base/text.h"

/* What the kernel puts behind the name of a file that has none any more (proc(5)). */
#define DELETED " (deleted)"

int upgrade_find_manager(char **ret)
{
        char path[PATH_MAX];
        ssize_t n;

        n = readlink("/proc/self/exe", path, sizeof path);
        if (n <= (ssize_t) strlen(DELETED) ||
            memcmp(path + n - strlen(DELETED), DELETED, strlen(DELETED)) != 0)
                return 0;
        path[n - strlen(DELETED)] = 0;
        if (access(path, X_OK) < 0)
                return 0;
        *ret = strdup(path);
        return *ret ? 1 : -ENOMEM;
}

int upgrade_explain(const char *pool, const char *worker, bool serving, char **ret)
{
        if (!serving)
                return text_format(ret,
                                   "php-poold and %s are of different builds: install both of one version, "
                                   "upon which the pool starts by itself.",
                                   worker);
        return text_format(ret,
                           "php-poold and %s are of different builds: restart the pool (systemctl restart "
                           "php-pool@%s), once both are of one version.",
                           worker, pool);
}
