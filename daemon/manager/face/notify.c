/* SPDX-License-Identifier: MIT */

/*
 * What systemd is told: see notify.h. READY=1 goes out once when the first generation can serve and once
 * after each reload; RELOADING=1 and its MONOTONIC_USEC= go in one datagram, as Type=notify-reload will want
 * it. A template that replaces a dead one is nothing that systemd is told of.
 *
 * Gathering the figures costs something, so that is done at most once a second: when something happened, and
 * at a ping. A pool where nothing happens wakes for pings only.
 */

#include "manager/face/notify.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "manager/face/report.h"
#include "manager/life/draining.h"
#include "manager/life/idle.h"
#include "manager/life/starting.h"

#define STATUS_MAX 1280
#define STATUS_INTERVAL USEC_PER_SEC

/* systemd is told this often that starting or draining goes on, for so much longer. */
#define EXTEND_USEC (30 * USEC_PER_SEC)
#define EXTEND_INTERVAL_USEC (10 * USEC_PER_SEC)

/* How the service is, in systemd's eyes. */
typedef enum ServiceState {
        SERVICE_STARTING,
        SERVICE_READY,
        SERVICE_RELOADING,
        SERVICE_STOPPING,
} ServiceState;

struct Notify {
        Pool *pool;
        ServiceState told;  /* systemd */
        PoolState state;    /* of the last STATUS= */
        const char *reason; /* of the last STATUS=: why pings are withheld, or NULL */
        uint64_t n_changes; /* Pool.n_changes, when the figures were last gathered */
        usec_t looked;      /* CLOCK_MONOTONIC: when that was; 0 for never */
        char status[STATUS_MAX];
        usec_t counted;     /* CLOCK_MONOTONIC: of the figures that the rate counts from */
        uint64_t requests;  /* then */
        uint64_t rate;      /* requests in 10 s */
};

/* ---- STATUS= ---- */

/* Over less than the time between two lines, a rate would mean nothing: the last one stays. */
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
static void append_reasons(const Pool *p, char *buffer)
{
        char start[START_TEXT_MAX], drain[DRAIN_TEXT_MAX], idle[IDLE_TEXT_MAX];
        const char *const texts[] = { p->health.reason, start, drain, idle };
        static const char *const what[] = { "watchdog pings withheld: ", "", "waits for ", "" };

        starting_waits_for(p, start);
        draining_waits_for(p, drain);
        idle_waits_for(p, idle);
        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                size_t n = strlen(buffer);

                if (texts[i] && texts[i][0])
                        (void) snprintf(buffer + n, STATUS_MAX - n, "; %s%s", what[i], texts[i]);
        }
}

/* Gathers the figures: looks at every board, and into the queue. */
static void format_status(Notify *n, usec_t now, char *buffer)
{
        PoolStatus s;

        report_pool(n->pool, &s);
        update_rate(n, s.requests, now);
        n->looked = now;
        n->n_changes = n->pool->n_changes;
        (void) snprintf(buffer, STATUS_MAX,
                        "%s: %llu active, %llu idle, %llu queued, %llu requests, %llu.%llu/s, %llu slow, "
                        "%llu parked connections, generation %llu%s%s",
                        s.state, (unsigned long long) s.active_processes,
                        (unsigned long long) s.idle_processes, (unsigned long long) s.listen_queue,
                        (unsigned long long) s.requests, (unsigned long long) n->rate / 10,
                        (unsigned long long) n->rate % 10, (unsigned long long) s.slow_requests,
                        (unsigned long long) s.parked_connections, (unsigned long long) s.generation,
                        *s.php_version ? ", PHP " : "", s.php_version);
        append_reasons(n->pool, buffer);
}

/* Never together with READY=1, so that it can be told from it. When to look again, 0 for whenever. */
static usec_t look_at_figures(Notify *n, usec_t now)
{
        const Pool *p = n->pool;
        bool changed = n->looked == 0 || n->state != p->life.state || n->reason != p->health.reason;
        usec_t due = n->looked + STATUS_INTERVAL;
        char status[STATUS_MAX];

        if (!changed && now < due)
                return n->n_changes != p->n_changes ? due : 0;
        n->state = p->life.state;
        n->reason = p->health.reason;
        format_status(n, now, status);
        if (!changed && streq(status, n->status))
                return 0;
        memcpy(n->status, status, strlen(status) + 1);
        (void) sd_notifyf(0, "STATUS=%s", status);
        return 0;
}

/* ---- States ---- */

static ServiceState service_state(const Pool *p)
{
        switch (p->life.state) {
        case POOL_STARTING:
                return SERVICE_STARTING;
        case POOL_RUNNING:
                return SERVICE_READY;
        case POOL_RELOADING:
                return p->life.reason == RELOAD_REQUESTED ? SERVICE_RELOADING : SERVICE_READY;
        default:
                return SERVICE_STOPPING;
        }
}

static void look_at_state(Notify *n)
{
        ServiceState now = service_state(n->pool);

        if (now == n->told)
                return;
        n->told = now;
        if (now == SERVICE_READY)
                (void) sd_notify(0, "READY=1");
        else if (now == SERVICE_RELOADING)
                (void) sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
                                  (unsigned long long) now_monotonic());
        else
                (void) sd_notify(0, "STOPPING=1");
}

/* Starting, reloading or draining goes on: when to say so again, 0 for neither. */
static usec_t extend(const Notify *n, usec_t now)
{
        if (n->told == SERVICE_READY || n->pool->life.state == POOL_STOPPING)
                return 0;
        (void) sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long) EXTEND_USEC);
        return now + EXTEND_INTERVAL_USEC;
}

usec_t notify_look(Notify *n, usec_t now)
{
        usec_t earliest = USEC_INFINITY;

        look_at_state(n);
        earlier(&earliest, extend(n, now));
        earlier(&earliest, look_at_figures(n, now));
        return earliest;
}

int notify_new(Pool *p, Notify **ret)
{
        Notify *n;

        n = malloc(sizeof *n);
        if (!n)
                return -ENOMEM;
        *n = (Notify){ .pool = p };
        *ret = n;
        return 0;
}

void notify_free(Notify *n)
{
        free(n);
}
