/* SPDX-License-Identifier: MIT */

/*
 * Watchdog pings: see watchdog.h. When one is due, the handler of the timer asks for a verdict (verdict.c
 * finds it in the step); after the step the ping goes out, or is withheld.
 */

#include "manager/face/watchdog.h"

#include <systemd/sd-daemon.h>

/* A ping may come this part of its interval late, but not so late that several of them add up. */
#define ACCURACY_PART 10
#define ACCURACY_MAX (250 * USEC_PER_MSEC)

/* While pings are withheld, this many times as often: so that a pool which recovers can still say so. */
#define WITHHELD_PART 4

struct Watchdog {
        Pool *pool;
        sd_event_source *source;
        usec_t interval;
        bool due;
};

static int on_watchdog(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        Watchdog *w = userdata;

        w->due = true;
        pool_ask_verdict(w->pool);
        return 0;
}

void watchdog_look(Watchdog *w)
{
        bool withheld;

        if (!w || !w->due)
                return;
        w->due = false;
        withheld = w->pool->health.reason;
        if (!withheld || w->pool->life.state >= POOL_DRAINING)
                (void) sd_notify(0, "WATCHDOG=1");
        (void) sd_event_source_set_time_relative(w->source,
                                                 withheld ? w->interval / WITHHELD_PART : w->interval);
        (void) sd_event_source_set_enabled(w->source, SD_EVENT_ONESHOT);
}

int watchdog_new(Pool *p, Watchdog **ret)
{
        _cleanup_(watchdog_freep) Watchdog *w = NULL;
        uint64_t timeout;
        int r;

        r = sd_watchdog_enabled(/* unset_environment= */ true, &timeout);
        if (r <= 0)
                return r;
        w = malloc(sizeof *w);
        if (!w)
                return -ENOMEM;
        /* Half the time-out, as sd_watchdog_enabled(3) recommends. */
        *w = (Watchdog){ .pool = p, .interval = timeout / 2 };

        r = sd_event_add_time_relative(p->event, &w->source, CLOCK_MONOTONIC, w->interval,
                                       MIN(w->interval / ACCURACY_PART, ACCURACY_MAX), on_watchdog, w);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(w->source, "watchdog");
        p->health.watchdog = true;
        p->health.well_at = now_monotonic();
        *ret = TAKE_PTR(w);
        return 0;
}

void watchdog_free(Watchdog *w)
{
        if (!w)
                return;
        sd_event_source_disable_unref(w->source);
        free(w);
}
