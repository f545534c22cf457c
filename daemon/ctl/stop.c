/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl stop: asks the manager to drain, and waits until it is gone. This is what ExecStop= runs; it
 * is also run when the manager has ended by itself, so a pool that is not running is no error.
 */

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ipc/control.h"

CtlExit verb_stop(const Options *options _unused_, size_t n_args _unused_, char **args)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        const char *pool = ctl_pool_argument(args[0]);
        int r;

        if (!ctl_pool_exists(pool)) {
                (void) ctl_fail(0, "Failed to stop pool %s: there is no such pool.", pool);
                return CTL_NO_SUCH_POOL;
        }

        r = client_connect(pool, CLIENT_TIMEOUT, &bus);
        if (client_not_running(r))
                return CTL_SUCCESS;
        if (r == -ETIMEDOUT)
                return ctl_fail_no_answer(pool);
        if (r < 0)
                return ctl_fail(r, "Failed to stop pool %s: %m", pool);

        r = client_call(bus, "Stop", CLIENT_TIMEOUT, &error, NULL);
        if (r < 0 && !sd_bus_error_has_name(&error, CONTROL_ERROR_STOPPING)) {
                if (client_not_running(r))
                        return CTL_SUCCESS;
                if (r == -ETIMEDOUT)
                        return ctl_fail_no_answer(pool);
                return ctl_fail(r, "Failed to stop pool %s: %s", pool, client_error_text(&error, r));
        }

        r = client_wait_closed(bus);
        if (r < 0)
                return ctl_fail(r, "Failed to wait for the end of pool %s: %m", pool);
        return CTL_SUCCESS;
}
