/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl top: shows what php-poolctl status shows of one pool, or a line for each pool that runs,
 * anew each second until it is interrupted. A pool that is away for a moment does not end it.
 */

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ctl/call.h"
#include "ctl/ctl.h"
#include "ctl/print.h"
#include "ctl/status-text.h"
#include "ctl/table.h"

#define TOP_INTERVAL_SECONDS 1

static int show_pool(const char *pool, const char *socket)
{
        _cleanup_(status_reply_clear) StatusReply status = {};
        int r;

        r = status_reply_get(pool, socket, CALL_LIST_TIMEOUT, NULL, &status);
        if (r > 0)
                return status_print(&status, /* legend= */ true);
        if (r == -EACCES)
                return r;
        if (r == 0)
                ctl_print("Pool %s is not running.", pool);
        else
                ctl_print("Pool %s: %s", pool, call_error_text(r, NULL));
        return 0;
}

/* ---- All pools, a line each ---- */

typedef struct Row {
        const char *pool;
        StatusReply status;
        int error; /* negative: why there is no status; 0: the pool has just ended */
} Row;

/* Sorts the pools with most to do first. */
static int compare_rows(const void *a, const void *b)
{
        static const char *const keys[] = { "active-processes", "listen-queue" };
        const Row *x = a, *y = b;

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                uint64_t n = items_number(&x->status.pool, keys[i]);
                uint64_t m = items_number(&y->status.pool, keys[i]);

                if (n != m)
                        return n > m ? -1 : 1;
        }
        return strcmp(x->pool, y->pool);
}

static int add_top_line(Table *table, const Row *row)
{
        static const char *const keys[] = { "active-processes", "idle-processes", "max-children",
                                            "listen-queue",     "requests",       "slow-requests" };
        int r;

        r = table_add(table, row->pool);
        if (r >= 0)
                r = table_add(table, row->error < 0 ? call_error_text(row->error, NULL)
                                                    : items_string(&row->status.pool, "state"));
        for (size_t i = 0; i < ELEMENTSOF(keys) && r >= 0; i++)
                r = row->error < 0 ? table_add(table, NULL)
                                   : table_addf(table, "%" PRIu64, items_number(&row->status.pool, keys[i]));
        return r;
}

/* The most lines of pools that fit the terminal, with the heading and the last line. */
static size_t rows_max(void)
{
        struct winsize size;

        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row <= 2)
                return SIZE_MAX;
        return size.ws_row - 2U;
}

static int print_rows(const Row *rows, size_t n)
{
        static const char *const headings[] = { "POOL", "STATE", "ACTIVE",   "IDLE",
                                                "MAX",  "QUEUE", "REQUESTS", "SLOW" };
        _cleanup_(table_clear) Table table = {};
        size_t shown = MIN(n, rows_max());
        int r;

        r = table_open(&table, ELEMENTSOF(headings));
        if (r >= 0)
                r = table_add_line(&table, headings);
        for (size_t i = 0; i < shown && r >= 0; i++)
                r = add_top_line(&table, &rows[i]);
        if (r >= 0)
                r = table_print(&table, stdout);
        if (r < 0)
                return r;
        if (shown < n)
                ctl_print("and %zu more", n - shown);
        return 0;
}

/* Asks and shows these pools. */
static int show_rows(char *const *names, size_t n)
{
        _cleanup_(freep) Row *rows = NULL;
        int r = 0;

        rows = calloc(n, sizeof *rows);
        if (!rows)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                rows[i].pool = names[i];
                rows[i].error = status_reply_get(names[i], NULL, CALL_LIST_TIMEOUT, NULL, &rows[i].status);
                if (rows[i].error == -EACCES)
                        r = -EACCES;
        }
        if (r >= 0) {
                qsort(rows, n, sizeof *rows, compare_rows);
                r = print_rows(rows, n);
        }
        for (size_t i = 0; i < n; i++)
                status_reply_clear(&rows[i].status);
        return r;
}

static int show_all(void)
{
        char **names = NULL;
        size_t n = 0;
        int r;

        r = ctl_running_pools(&names, &n);
        if (r < 0)
                return r;
        if (n > 0)
                r = show_rows(names, n);
        else
                ctl_print("No pool is running.");
        ctl_names_free(names, n);
        return r;
}

CtlExit verb_top(const Options *options, size_t n_args, char **args)
{
        const struct timespec interval = { .tv_sec = TOP_INTERVAL_SECONDS };
        const char *pool = n_args > 0 ? ctl_pool_argument(args[0]) : NULL;
        bool terminal = isatty(STDOUT_FILENO);

        if (options->socket && !pool) {
                (void) ctl_fail(0, "php-poolctl top --socket takes the name of a pool.");
                return CTL_USAGE;
        }
        if (pool && !options->socket && !ctl_pool_exists(pool))
                return ctl_fail_no_pool(pool);

        for (;;) {
                int r;

                if (terminal)
                        ctl_clear_screen();
                r = pool ? show_pool(pool, options->socket) : show_all();
                if (r < 0)
                        return ctl_fail(0, "Failed to show the status: %s", call_error_text(r, NULL));
                if (!terminal)
                        ctl_print("%s", "");
                if (fflush(stdout) != 0)
                        return CTL_FAILURE;
                (void) nanosleep(&interval, NULL);
        }
}
