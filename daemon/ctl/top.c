/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl top: what php-poolctl status shows, of one pool or of all that run, anew each second until it
 * is interrupted. A pool that is away for a moment is not the end.
 */

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/status.h"

#define TOP_INTERVAL_SECONDS 1

/* Cursor to the top left, and all below it cleared: ECMA-48. */
#define CLEAR_SCREEN "\033[H\033[J"

static int show_pool(const char *pool)
{
        _cleanup_(status_clear) Status status = {};
        int r;

        r = status_get(pool, CLIENT_LIST_TIMEOUT, &status);
        if (r >= 0)
                return status_print(&status, /* legend= */ true);
        if (client_not_running(r))
                printf("Pool %s is not running.\n", pool);
        else
                printf("Pool %s: %s\n", pool,
                       r == -ETIMEDOUT ? "its manager does not answer" : strerror(-r));
        return 0;
}

static int show_all(void)
{
        char **names = NULL;
        size_t n = 0;
        int r;

        r = ctl_running_pools(&names, &n);
        if (r < 0)
                return r;
        if (n == 0)
                puts("No pool is running.");
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (i > 0)
                        putchar('\n');
                r = show_pool(names[i]);
        }
        ctl_names_free(names, n);
        return r;
}

CtlExit verb_top(const Options *options _unused_, size_t n_args, char **args)
{
        const struct timespec interval = { .tv_sec = TOP_INTERVAL_SECONDS };
        const char *pool = n_args > 0 ? ctl_pool_argument(args[0]) : NULL;
        bool terminal = isatty(STDOUT_FILENO);

        if (pool && !ctl_pool_exists(pool))
                return ctl_fail_no_pool(pool);

        for (;;) {
                int r;

                if (terminal)
                        fputs(CLEAR_SCREEN, stdout);
                r = pool ? show_pool(pool) : show_all();
                if (r < 0)
                        return ctl_fail(r, "Failed to show the status: %m");
                if (!terminal)
                        putchar('\n');
                if (fflush(stdout) != 0)
                        return CTL_FAILURE;
                (void) nanosleep(&interval, NULL);
        }
}
