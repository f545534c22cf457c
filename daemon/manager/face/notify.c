/* SPDX-License-Identifier: MIT */

/*
 * What systemd is told: see notify.h. READY=1 goes out once when the first generation can serve and once
 * after each reload; RELOADING=1 and its MONOTONIC_USEC= go in one datagram, as Type=notify-reload will want
 * it. Pings go out while health.c has nothing against the pool.
 *
 * Gathering the figures costs something, so that is done at most once a second: when something happened, and
 * at a ping. A pool where nothing happens wakes for pings only.
 */

#include "manager/face/notify.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/face/report.h"
#include "manager/life/drain.h"
#include "manager/life/health.h"
#include "manager/pool/generation-count.h"

#define STATUS_MAX 1280
#define STATUS_INTERVAL USEC_PER_SEC

/* A ping may come this part of its interval late, but not so late that several of them add up. */
#define WATCHDOG_ACCURACY_PART 10
#define WATCHDOG_ACCURACY_MAX (250 * USEC_PER_MSEC)

/* While pings are withheld, this many times as often: so that a pool which recovers can still say so. */
#define WATCHDOG_WITHHELD_PART 4

struct Notify {
        sd_event_source *watchdog_source; /* NULL where systemd asks for no pings */
        usec_t interval;
        usec_t well_at;     /* CLOCK_MONOTONIC: when it was last seen to get on, to have room or no need */
        uint64_t progress;  /* workers' notes of it, as they were seen last */
        const char *reason; /* why pings are withheld, or NULL */
        bool stalled;       /* every request hangs */

        usec_t looked;      /* CLOCK_MONOTONIC: when the figures were last gathered */
        char status[STATUS_MAX];
        usec_t counted;     /* CLOCK_MONOTONIC: of the figures that the rate counts from */
        uint64_t requests;  /* then */
        uint64_t rate;      /* requests in 10 s */
};

/* ---- STATUS= ---- */

/* Over a shorter time than that between two lines, the rate would mean nothing: it stays. */
static void update_rate(Notify *n, uint64_t requests, usec_t now)
{
        usec_t elapsed = usec_sub(now, n->counted);

        if (elapsed < STATUS_INTERVAL)
                return;
        n->rate = requests > n->requests ? (requests - n->requests) * 10 * USEC_PER_SEC / elapsed : 0;
        n->requests = requests;
        n->counted = now;
}

/* What takes its time: why pings are withheld, and what a start, an end or idle_exit waits for. */
static void append_reasons(const Manager *m, char *buffer)
{
        char start[START_TEXT_MAX], drain[DRAIN_TEXT_MAX], idle[IDLE_TEXT_MAX];
        const char *const texts[] = { m->notify->reason, start, drain, idle };
        static const char *const what[] = { "watchdog pings withheld: ", "", "waits for ", "" };

        manager_start_waits_for(m, start);
        drain_waits_for(m, drain);
        idle_waits_for(m, idle);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                size_t n = strlen(buffer);

                if (texts[i] && texts[i][0])
                        (void) snprintf(buffer + n, STATUS_MAX - n, "; %s%s", what[i], texts[i]);
        }
}

/* Gathers the figures: looks at every board, and into the queue. */
static void format_status(Manager *m, usec_t now, char *buffer)
{
        Notify *n = m->notify;
        PoolStatus s;

        report_pool(m, &s);
        update_rate(n, s.requests, now);
        n->looked = now;
        (void) snprintf(buffer, STATUS_MAX,
                        "%s: %llu active, %llu idle, %llu queued, %llu requests, %llu.%llu/s, %llu slow, "
                        "%llu parked connections, generation %llu%s%s",
                        s.state, (unsigned long long) s.active_processes,
                        (unsigned long long) s.idle_processes, (unsigned long long) s.listen_queue,
                        (unsigned long long) s.requests, (unsigned long long) n->rate / 10,
                        (unsigned long long) n->rate % 10, (unsigned long long) s.slow_requests,
                        (unsigned long long) s.parked_connections, (unsigned long long) s.generation,
                        *s.php_version ? ", PHP " : "", s.php_version);
        append_reasons(m, buffer);
}

/* Never together with READY=1, so that it can be told from it. */
static void send_status(Manager *m, usec_t now)
{
        format_status(m, now, m->notify->status);
        (void) sd_notifyf(0, "STATUS=%s", m->notify->status);
}

static void send_status_if_changed(Manager *m, usec_t now)
{
        char status[STATUS_MAX];

        format_status(m, now, status);
        if (streq(status, m->notify->status))
                return;
        memcpy(m->notify->status, status, strlen(status) + 1);
        (void) sd_notifyf(0, "STATUS=%s", status);
}

usec_t notify_refresh(Manager *m, usec_t now)
{
        usec_t due = m->notify->looked + STATUS_INTERVAL;

        if (now < due)
                return due;
        send_status_if_changed(m, now);
        return 0;
}

/* ---- The watchdog ---- */

/*
 * Whether a client took or sent anything since the last look. Workers that came and went change the sum as
 * well, and that is progress, too.
 */
static bool got_on(const Manager *m)
{
        uint64_t progress = 0, before = m->notify->progress;

        FOREACH_GENERATION(g, m)
                progress += generation_progress(g);
        m->notify->progress = progress;
        return progress != before;
}

static HealthView health_view(const Manager *m, usec_t now)
{
        const Generation *current = m->current;
        GenerationCount count = {};
        HealthView view = {
                .serving = current && (m->state == POOL_RUNNING || m->state == POOL_RELOADING),
                .now = now,
                .progress = MAX(m->notify->well_at, m->totals.last_ended),
        };
        size_t all;

        if (!view.serving)
                return view;

        count = generation_count(current);
        all = count.busy + count.retiring;
        for (const Generation *old = m->retired; old; old = old->older)
                all += generation_alive(old);
        FOREACH_GENERATION(g, m)
                view.progress = MAX(view.progress, generation_last_request(g));

        view.template_up = generation_has_template(current);
        view.replace_given_up = manager_lost_template(m);
        view.coming = count.starting > 0 || m->next;
        view.full = all >= current->config->pm_max_children || current->n_stillborn > 0;
        view.idle = count.idle;
        view.queued = queue_waiting(m->queue);
        view.stall = current->config->watchdog_stall;
        return view;
}

static void log_reason(const Manager *m, const char *reason)
{
        LogField fields[] = { { "PHP_GENERATION", m->current ? m->current->id_text : NULL }, {} };

        if (reason)
                (void) log_record(LOG_ERR, 0, MESSAGE_ID(PINGS_WITHHELD), fields,
                                  "Pool %s can serve nobody and withholds its watchdog pings: %s.", m->pool,
                                  reason);
        else
                (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(PINGS_RESUMED), fields,
                                  "Pool %s serves again and gives watchdog pings again.", m->pool);
}

/* Once the pool is asked to stop, the reason stays: it may be why. */
static void look_at_health(Manager *m, usec_t now)
{
        Notify *n = m->notify;
        const char *reason;
        HealthView view;

        if (m->state >= POOL_DRAINING)
                return;
        view = health_view(m, now);
        if (got_on(m) || !health_saturated(&view))
                n->well_at = view.progress = now;
        n->stalled = health_stalled(&view);
        reason = health_reason(&view);
        if (reason == n->reason)
                return;
        n->reason = reason;
        log_reason(m, reason);
        send_status(m, now);
}

/* Half the time-out, as sd_watchdog_enabled(3) recommends. A ping says that the pool can serve. */
static int on_watchdog(sd_event_source *s, uint64_t usec _unused_, void *userdata)
{
        usec_t now = now_monotonic();
        Manager *m = userdata;
        Notify *n = m->notify;

        look_at_health(m, now);
        if (!n->reason || m->state >= POOL_DRAINING)
                (void) sd_notify(0, "WATCHDOG=1");
        if (now >= n->looked + STATUS_INTERVAL)
                send_status_if_changed(m, now);

        (void) sd_event_source_set_time_relative(
                        s, n->reason ? n->interval / WATCHDOG_WITHHELD_PART : n->interval);
        (void) sd_event_source_set_enabled(s, SD_EVENT_ONESHOT);
        return 0;
}

StopReason notify_stop_reason(const Notify *n)
{
        if (!n->reason)
                return STOP_ASKED;
        return n->stalled ? STOP_STALLED : STOP_WITHHELD;
}

const char *notify_health(const Notify *n)
{
        if (!n->watchdog_source)
                return "not watched";
        return n->reason ?: "ok";
}

static int start_watchdog(Manager *m, Notify *n, usec_t timeout)
{
        int r;

        n->interval = timeout / 2;
        n->well_at = now_monotonic();
        r = sd_event_add_time_relative(m->event, &n->watchdog_source, CLOCK_MONOTONIC, n->interval,
                                       MIN(n->interval / WATCHDOG_ACCURACY_PART, WATCHDOG_ACCURACY_MAX),
                                       on_watchdog, m);
        if (r < 0)
                return r;
        return sd_event_source_set_description(n->watchdog_source, "watchdog");
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
                r = start_watchdog(m, n, timeout);
                if (r < 0)
                        return r;
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
