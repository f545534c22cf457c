/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl status: what a manager says of its pool and workers, in the manner of PHP-FPM's status page,
 * or as JSON with its keys.
 */

#include "ctl/status.h"

#include <stdio.h>

#include "base/text.h"
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/status-reply.h"
#include "ctl/print.h"
#include "ctl/table.h"

/* Where the values start, as on PHP-FPM's page. */
#define LABEL_WIDTH 22

/* The columns of the table of workers; JSON has the other keys too. */
static const struct {
        const char *heading;
        const char *key;
} columns[] = {
        { "PID", "pid" },
        { "STATE", "state" },
        { "AGE", "start-since" },
        { "REQUESTS", "requests" },
        { "DURATION", "request-duration" },
        { "MEMORY", "last-request-memory" },
        { "METHOD", "request-method" },
        { "URI", "request-uri" },
        { "SCRIPT", "script" },
};

/* "accepted conn:        5312" */
static int print_item(const StatusItem *item)
{
        _cleanup_(freep) char *label = NULL, *value = NULL;
        int r;

        r = text_escape(item->key, &label);
        if (r < 0)
                return r;
        for (char *p = label; *p; p++)
                if (*p == '-')
                        *p = ' ';
        r = item_format(item, &value);
        if (r < 0)
                return r;
        ctl_print("%s:%*s%s", label,
                  MAX(LABEL_WIDTH - 1 - (int) MIN(strlen(label), (size_t) LABEL_WIDTH), 1), "", value);
        return 0;
}

static int add_cell(Table *table, const StatusItems *worker, const char *key)
{
        const StatusItem *item = items_find(worker, key);
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!item)
                return table_add(table, NULL);
        r = item_format(item, &text);
        if (r < 0)
                return r;
        return table_add(table, text);
}

static int print_workers(const StatusReply *status, bool legend)
{
        _cleanup_(table_clear) Table table = {};
        int r;

        if (status->n_workers == 0)
                return 0;
        r = table_open(&table, ELEMENTSOF(columns));
        for (size_t i = 0; legend && i < ELEMENTSOF(columns) && r >= 0; i++)
                r = table_add(&table, columns[i].heading);
        for (size_t i = 0; i < status->n_workers && r >= 0; i++)
                for (size_t j = 0; j < ELEMENTSOF(columns) && r >= 0; j++)
                        r = add_cell(&table, &status->workers[i], columns[j].key);
        if (r < 0)
                return r;

        ctl_print("%s", "");
        return table_print(&table, stdout);
}

int status_print(const StatusReply *status, bool legend)
{
        for (size_t i = 0; i < status->pool.n; i++) {
                int r;

                r = print_item(&status->pool.list[i]);
                if (r < 0)
                        return r;
        }
        return print_workers(status, legend);
}

static void print_json(const StatusReply *status)
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
        r = status_reply_get(pool, options->socket, CLIENT_TIMEOUT, &error, &status);
        if (r == 0) {
                (void) ctl_fail(0, "Pool %s is not running, see \"systemctl status php-pool@%s\".", pool,
                                pool);
                return CTL_NOT_RUNNING;
        }
        if (r < 0)
                return client_fail("get the status of", pool, r, &error);

        if (options->json) {
                print_json(&status);
                return CTL_SUCCESS;
        }
        r = status_print(&status, !options->no_legend);
        if (r < 0)
                return ctl_fail(r, "Failed to show the status of pool %s: %m", pool);
        return CTL_SUCCESS;
}
