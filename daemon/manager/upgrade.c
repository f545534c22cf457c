/* SPDX-License-Identifier: MIT */

/* Manager and worker of different builds: see upgrade.h. It decides nothing. */

#include "manager/upgrade.h"

#include <limits.h>
#include <unistd.h>

#include "base/text.h"

/* What the kernel puts behind the name of a file that has none any more (proc(5)). */
#define DELETED " (deleted)"

bool upgrade_replaced_manager(void)
{
        char path[PATH_MAX];
        ssize_t n;

        n = readlink("/proc/self/exe", path, sizeof path);
        return n > (ssize_t) strlen(DELETED) &&
               memcmp(path + n - strlen(DELETED), DELETED, strlen(DELETED)) == 0;
}

int upgrade_explain(const char *pool, const char *worker, bool serving, bool replaced, char **ret)
{
        if (!serving)
                return text_format(ret,
                                   "php-poold and %s are of different builds: install both of one version, "
                                   "upon which the pool starts by itself.",
                                   worker);
        return text_format(ret,
                           "php-poold and %s are of different builds: %srestart the pool (systemctl restart "
                           "php-pool@%s).",
                           worker, replaced ? "" : "install both of one version, then ", pool);
}
