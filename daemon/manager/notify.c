/* SPDX-License-Identifier: MIT */

/*
 * What systemd is told: see notify.h. READY=1 goes out once when the first generation can serve and once
 * after each reload; RELOADING=1 and its MONOTONIC_USEC= go in one datagram, as Type=notify-reload will want
 * it.
 */

#include "manager/notify.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

#define STATUS_MAX 256
#define STATUS_INTERVAL USEC_PER_SEC

struct Notify {
        sd_event_source *watchdog_source;
        usec_t interval;
        usec_t status_sent; /* CLOCK_MONOTONIC */
        char status[STATUS_MAX];
};

static void format_status(const Manager *m, char *buffer)
{
        GenerationCount count = {};
        uint64_t generation = 0;

        if (m->current) {
                count = generation_count(m->current);
                generation = m->current->id;
        }
        (void) snprintf(buffer, STATUS_MAX,
                        "%s: %zu active, %zu idle, %zu parked connections, generation %llu",
                        pool_state_to_string(m->state), count.busy, count.idle, parking_count(m->parking),
                        (unsigned long long) generation);
}

/* Never together with READY=1, so that it can be told from it. */
static void send_status(Manager *m, usec_t now)
{
        format_status(m, m->notify->status);
        m->notify->status_sent = now;
        (void) sd_notifyf(0, "STATUS=%s", m->notify->status);
}

usec_t notify_refresh(Manager *m, usec_t now)
{
        Notify *n = m->notify;
        char status[STATUS_MAX];

        format_status(m, status);
        if (streq(status, n->status))
                return 0;
        if (now < n->status_sent + STATUS_INTERVAL)
                return n->status_sent + STATUS_INTERVAL;
        send_status(m, now);
        return 0;
}

/* Half the time-out, as sd_watchdog_enabled(3) recommends. The loop runs: that is what a ping says. */
static int on_watchdog(sd_event_source *s, uint64_t usec _unused_, void *userdata)
{
        Manager *m = userdata;

        (void) sd_notify(0, "WATCHDOG=1");
        send_status(m, now_monotonic());
        (void) sd_event_source_set_time_relative(s, m->notify->interval);
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        return 0;
}

int notify_new(Manager *m, Notify **ret)
{
        _cleanup_(notify_freep) Notify *n = NULL;
        uint64_t timeout;
        int r;

        n = calloc(1, sizeof *n);
        if (!n)
                return -ENOMEM;

        r = sd_watchdog_enabled(/* unset_environment= */ true, &timeout);
        if (r < 0)
                return r;
        if (r > 0) {
                n->interval = timeout / 2;
                r = sd_event_add_time_relative(m->event, &n->watchdog_source, CLOCK_MONOTONIC, n->interval,
                                               0, on_watchdog, m);
                if (r < 0)
                        return r;
                (void) sd_event_source_set_description(n->watchdog_source, "watchdog");
        }

        *ret = TAKE_PTR(n);
        return 0;
}

void notify_free(Notify *n)
{
        if (!n)
                return;
        sd_event_source_disable_unref(n->watchdog_source);
        free(n);
}

void notify_state(Manager *m, PoolState before)
{
        switch (m->state) {
        case POOL_RUNNING:
                /* A template that replaces a dead one is nothing that systemd was told of. */
                if (before == POOL_STARTING || m->reason == RELOAD_REQUESTED)
                        (void) sd_notify(0, "READY=1");
                break;
        case POOL_RELOADING:
                if (m->reason == RELOAD_REQUESTED)
                        (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                                          (unsigned long long) now_monotonic());
                break;
        case POOL_DRAINING:
                (void) sd_notify(0, "STOPPING=1");
                break;
        default:
                break;
        }
        send_status(m, now_monotonic());
}

void notify_extend(usec_t by)
{
        (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long) by);
}
