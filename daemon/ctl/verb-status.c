/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl status: what a manager says of its pool and workers, in the manner of PHP-FPM's status page,
 * or as JSON with its keys.
 */

#include <stdio.h>

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/status-text.h"

static void print_status_json(const StatusReply *status)
{
        Json json = { .f = stdout };

        json_begin_object(&json, NULL);
        items_write_json(&status->pool, &json);
        json_begin_array(&json, "processes");
        for (size_t i = 0; i < status->n_workers; i++) {
                json_begin_object(&json, NULL);
                items_write_json(&status->workers[i], &json);
                json_end_object(&json);
        }
        json_end_array(&json);
        json_end_object(&json);
        json_end_line(&json);
}

CtlExit verb_status(const Options *options, size_t n_args _unused_, char **args)
{
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_(status_reply_clear) StatusReply status = {};
        const char *pool = ctl_pool_argument(args[0]);
        int r;

        if (!options->socket && !ctl_pool_exists(pool))
                return ctl_fail_no_pool(pool);
        r = status_reply_get(pool, options->socket, CALL_TIMEOUT, &error, &status);
        if (r == 0) {
                (void) ctl_fail(0, "Pool %s is not running, see \"systemctl status php-pool@%s\".", pool,
                                pool);
                return CTL_NOT_RUNNING;
        }
        if (r < 0)
                return call_fail("get the status of", pool, r, &error);

        if (options->json) {
                print_status_json(&status);
                return CTL_SUCCESS;
        }
        r = status_print(&status, !options->no_legend);
        if (r < 0)
                return ctl_fail(r, "Failed to show the status of pool %s: %m", pool);
        return CTL_SUCCESS;
}
