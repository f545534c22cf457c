/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl check: reads pool files as the manager would, without one. Says every error, one a line.
 */

#include <stdio.h>
#include <unistd.h>

#include "config/parse.h"
#include "ctl/ctl.h"
#include "ipc/control.h"

static void print_errors(const ConfigErrors *errors)
{
        for (size_t i = 0; i < errors->n; i++) {
                _cleanup_(freep) char *text = NULL;

                if (config_error_format(&errors->items[i], &text) >= 0)
                        (void) ctl_fail(0, "%s", text);
        }
}

static CtlExit check_file(const char *path)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        int r;

        r = config_parse_file(path, &config, &errors);
        if (r < 0) {
                print_errors(&errors);
                if (errors.n == 0)
                        return ctl_fail(r, "Failed to check %s: %m", path);
                return CTL_FAILURE;
        }

        printf("%s: ok\n", path);
        return CTL_SUCCESS;
}

static CtlExit check_pool(const char *pool)
{
        _cleanup_(freep) char *path = NULL;
        int r;

        r = ctl_pool_file(pool, &path);
        if (r < 0)
                return ctl_fail(r, "Failed to check pool %s: %m", pool);
        return check_file(path);
}

static CtlExit check_all(void)
{
        CtlExit status = CTL_SUCCESS;
        char **names;
        size_t n;
        int r;

        r = ctl_configured_pools(&names, &n);
        if (r < 0)
                return ctl_fail(r, "Failed to list " CONFIG_DIR ": %m");
        if (n == 0)
                printf("No pool has a file in " CONFIG_DIR ".\n");
        for (size_t i = 0; i < n; i++)
                status = MAX(status, check_pool(names[i]));
        ctl_names_free(names, n);
        return status;
}

/* A file is what has a "/", or what is a file here and can be no pool with a file of its own. */
CtlExit verb_check(const Options *options _unused_, size_t n_args, char **args)
{
        _cleanup_(freep) char *path = NULL;
        const char *name;
        int r;

        if (n_args == 0)
                return check_all();
        if (strchr(args[0], '/'))
                return check_file(args[0]);
        name = ctl_pool_argument(args[0]);
        if (!pool_name_valid(name))
                return check_file(name);

        r = ctl_pool_file(name, &path);
        if (r < 0)
                return ctl_fail(r, "Failed to check pool %s: %m", name);
        if (access(path, F_OK) < 0 && errno == ENOENT) {
                if (access(name, F_OK) >= 0)
                        return check_file(name);
                if (!ctl_pool_exists(name))
                        return ctl_fail_no_pool(name);
        }
        return check_file(path);
}
