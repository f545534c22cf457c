/* SPDX-License-Identifier: MIT */

/* Names of a pool and of its control socket: see control.h. */

#include "ipc/control.h"

#include <stdio.h>

bool pool_name_valid(const char *name)
{
        size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

        if (n == 0 || n > POOL_NAME_MAX || name[n] || name[0] == '.' || name[0] == '-')
                return false;
        return n < strlen(".sock") || !streq(name + n - strlen(".sock"), ".sock");
}

int control_socket_path(const char *pool, char **ret)
{
        const char *runtime = getenv("RUNTIME_DIRECTORY");
        const char *last = runtime ? strrchr(runtime, '/') : NULL;
        int r;

        if (last && streq(last + 1, pool))
                r = asprintf(ret, "%s/control", runtime);
        else
                r = asprintf(ret, CONTROL_RUN_DIR "/%s/control", pool);
        if (r < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}
