/* SPDX-License-Identifier: MIT */

/* A manager's status for people, in the manner of PHP-FPM's status page: see status-text.h. */

#include "ctl/status-text.h"

#include <stdio.h>

#include "base/text.h"
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
