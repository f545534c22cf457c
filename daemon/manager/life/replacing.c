/* SPDX-License-Identifier: MIT */

/*
 * Starts PHP anew where the template of the current generation has died or is of no more use: see
 * replacing.h. Its workers serve on meanwhile; starting.c has the new generation take over.
 */

#include "manager/life/replacing.h"

#include "base/log.h"
#include "manager/life/starting.h"
#include "manager/pool/generation-count.h"

/* With the same settings. */
static void replace(Pool *p, usec_t now)
{
        Config *config;
        int r;

        r = config_unseal(p->current->settings_fd, &config);
        if (r >= 0)
                r = starting_begin(p, RELOAD_REPLACE, config);
        if (r >= 0) {
                pool_set_state(p, POOL_RELOADING);
                return;
        }
        (void) log_error_errno(r, "Failed to start a new template, trying again: %m");
        replacement_failed(&p->replacement, now);
        pool_changed(p); /* for the timer */
}

void replacing_step(Pool *p, usec_t now, usec_t *earliest)
{
        const Generation *g = p->current;
        ReplacementView view = {
                .forks = generation_can_fork(g),
                .suspect = g->state == GENERATION_SUSPECT,
                .alive = generation_alive(g) > 0,
                .started = g->started,
                .now = now,
        };

        assert(p->life.state == POOL_RUNNING);
        switch (replacement_decide(&p->replacement, &view)) {
        case REPLACEMENT_NONE:
                break;
        case REPLACEMENT_WAIT:
                earlier(earliest, p->replacement.at);
                break;
        case REPLACEMENT_NOW:
                replace(p, now);
                break;
        case REPLACEMENT_GIVE_UP:
                pool_ask_stop(p, STOP_NO_TEMPLATE);
                break;
        }
}
