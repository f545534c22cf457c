/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl reload: asks managers for a new generation and waits until it serves, or is refused. This is
 * what ExecReload= runs, so its exit status is the one of `systemctl reload`. Never starts a pool.
 */

#include "base/log.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ipc/control.h"

/* The manager is stuck: an error of our own, so that it is not one that a manager sent. */
#define ERROR_NO_ANSWER "org.phppool.Error.NoAnswer"

/* 0, or -errno and the words for it in *error. PHP may take any time to start; the manager has the limit. */
static int reload_pool(const char *pool, sd_bus_error *error)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = client_connect(pool, CLIENT_TIMEOUT, &bus);
        if (client_not_running(r))
                (void) sd_bus_error_setf(error, SD_BUS_ERROR_FAILED,
                                         "php-pool@%s.service is not active, cannot reload.", pool);
        if (r == -ETIMEDOUT)
                (void) sd_bus_error_set_const(error, ERROR_NO_ANSWER, "the pool does not answer.");
        if (r < 0)
                return r;

        r = client_call(bus, "Reload", USEC_INFINITY, error, NULL);
        if (client_not_running(r)) {
                sd_bus_error_free(error);
                (void) sd_bus_error_set_const(error, SD_BUS_ERROR_FAILED,
                                              "the pool ended before it had reloaded.");
        }
        return r;
}

static CtlExit fail_reload(const char *pool, int r, const sd_bus_error *error)
{
        if (sd_bus_error_has_name(error, ERROR_NO_ANSWER))
                return ctl_fail_no_answer(pool);
        return ctl_fail(r, "Failed to reload pool %s: %s", pool, client_error_text(error, r));
}

static CtlExit reload_named(const char *pool)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        if (!ctl_pool_exists(pool)) {
                (void) ctl_fail(0, "Failed to reload pool %s: there is no such pool.", pool);
                return CTL_NO_SUCH_POOL;
        }
        r = reload_pool(pool, &error);
        if (r >= 0)
                return CTL_SUCCESS;
        /* Under ExecReload= the manager has said the same in the same journal. */
        if (log_to_journal() && sd_bus_error_has_name(&error, CONTROL_ERROR_RELOAD))
                return CTL_FAILURE;
        return fail_reload(pool, r, &error);
}

/* One after the other, so that a machine with many pools does not start them all at once. */
static CtlExit reload_all(void)
{
        CtlExit status = CTL_SUCCESS;
        char **names;
        size_t n;
        int r;

        r = ctl_running_pools(&names, &n);
        if (r < 0)
                return ctl_fail(r, "Failed to list the running pools: %m");

        for (size_t i = 0; i < n; i++) {
                _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;

                r = reload_pool(names[i], &error);
                /* One that stops, or will be started with the new settings, needs no reload. */
                if (r >= 0 || client_not_running(r) || sd_bus_error_has_name(&error, CONTROL_ERROR_STOPPING))
                        continue;
                status = fail_reload(names[i], r, &error);
        }
        ctl_names_free(names, n);
        return status;
}

CtlExit verb_reload(const Options *options, size_t n_args, char **args)
{
        if (options->all == (n_args > 0)) {
                (void) ctl_fail(0, "php-poolctl reload takes either the name of one pool or --all.");
                return CTL_USAGE;
        }
        return options->all ? reload_all() : reload_named(ctl_pool_argument(args[0]));
}
