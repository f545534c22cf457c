/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl stop: asks the manager to drain, and waits until it is gone. This is what ExecStop= runs; it
 * is also run when the manager has ended by itself, so a pool that is not running is no error.
 */

#include "base/parse.h"
#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/print.h"
#include "ipc/control.h"

/*
 * How long a manager that answers pings may take to let requests finish. It has its own
 * reload.drain_timeout, which may be none; under ExecStop= there is TimeoutStopSec=, too.
 */
#define STOP_TIMEOUT (60 * 60 * USEC_PER_SEC)

/*
 * Whether the manager is gone already under ExecStop= (systemd.exec(5)). Its socket stays open until the
 * service has ended, and nothing would take a connection.
 */
static bool manager_has_ended(void)
{
        return getenv("SERVICE_RESULT") && !getenv("MAINPID");
}

static CtlExit stop_running(const char *pool, sd_bus *bus)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        char timeout[PARSE_FORMAT_MAX];
        int r;

        r = call_method(bus, "Stop", CALL_TIMEOUT, &error, NULL);
        if (call_peer_is_gone(r))
                return CTL_SUCCESS;
        if (r < 0 && !sd_bus_error_has_name(&error, CONTROL_ERROR_STOPPING))
                return call_fail("stop", pool, r, &error);

        r = call_wait_closed(bus, STOP_TIMEOUT);
        if (r == -ETIME)
                return ctl_fail(0, "Failed to stop pool %s: requests have not ended within %s.", pool,
                                format_usec(timeout, STOP_TIMEOUT));
        if (r < 0)
                return call_fail("stop", pool, r, NULL);
        return CTL_SUCCESS;
}

CtlExit verb_stop(const Options *options, size_t n_args _unused_, char **args)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        const char *pool = ctl_pool_argument(args[0]);
        int r;

        if (!options->socket && !ctl_pool_exists(pool))
                return ctl_fail_no_pool(pool);
        if (manager_has_ended())
                return CTL_SUCCESS;
        r = call_connect(pool, options->socket, CALL_TIMEOUT, &bus);
        if (r < 0)
                return call_fail("stop", pool, r, NULL);
        return r > 0 ? stop_running(pool, bus) : CTL_SUCCESS;
}
