/* SPDX-License-Identifier: MIT */

/*
 * The end of generations and of the pool: see drain.h. It owns the list of retired generations, orders their
 * workers to end and has those killed that do not, each for its own reason (reasons.def). It never waits:
 * what is due later is left to the next step.
 */

#include "manager/life/drain.h"

#include <time.h>

#include "base/log.h"
#include "base/messages.h"
#include "base/utf8.h"
#include "manager/face/control.h"
#include "manager/life/left.h"
#include "manager/life/reap.h"
#include "manager/pool/generation-count.h"

/* ---- What is waited for ---- */

/* What a worker does that is waited for: without a request, and with the one that follows. */
static const struct {
        const char *without, *with;
} doings[] = {
        [STAGE_FREE] = { "which ends", NULL },
        [STAGE_STARTING] = { "which starts", NULL },
        [STAGE_IDLE] = { "which has no request, and does not end", NULL },
        [STAGE_READING] = { "whose client has sent part of a request", NULL },
        [STAGE_RUNNING] = { "which runs a request", "which runs " },
        [STAGE_SENDING] = { "whose client does not take the answer",
                            "whose client does not take the answer to " },
        [STAGE_FINISHING] = { "which finishes a request", "which finishes " },
        [STAGE_ENDING] = { "which ends", NULL },
};
static_assert(ELEMENTSOF(doings) == _STAGE_MAX, "every stage has its words");

/* Whether the record is of a request that the worker is at: while it reads a head, it is of the last one. */
static bool has_request(const WorkerRecord *record)
{
        return doings[record->stage].with && record->request_started > record->request_ended;
}

/* With the day, where it is not within one. */
static void format_time(usec_t t, usec_t now, char *buffer, size_t size)
{
        bool near = usec_sub(now, t) < 86400 * USEC_PER_SEC && usec_sub(t, now) < 86400 * USEC_PER_SEC;
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) || strftime(buffer, size, near ? "%T" : "%F %T", &tm) == 0)
                buffer[0] = 0;
}

/* Copies what fits, as one printable line. */
static const char *printable(const char *from, char *buffer, size_t size)
{
        size_t n = strnlen(from, size - 1);

        memcpy(buffer, from, n);
        buffer[n] = 0;
        utf8_make_printable(buffer);
        return buffer;
}

static void format_request(const DrainView *v, char *text, size_t size)
{
        char method[SCOREBOARD_METHOD_MAX], uri[128], script[160], since[32];

        format_time(v->since, v->now, since, sizeof since);
        printable(v->record.script, script, sizeof script);
        (void) snprintf(text, size, "%s %s%s%s%s since %s",
                        printable(v->record.method, method, sizeof method),
                        printable(v->record.uri, uri, sizeof uri), script[0] ? " (" : "", script,
                        script[0] ? ")" : "", since);
}

void drain_format(const DrainView *v, char text[DRAIN_TEXT_MAX])
{
        char who[448], what[384] = "", more[32] = "", until[32] = "";

        if (v->is_template)
                (void) snprintf(who, sizeof who, "PHP's template (pid %d), which ends", v->pid);
        else {
                const char *with = doings[v->record.stage].with, *without = doings[v->record.stage].without;

                if (v->since > 0)
                        format_request(v, what, sizeof what);
                (void) snprintf(who, sizeof who, "worker %d, %s%s", v->pid, v->since > 0 ? with : without,
                                what);
        }
        if (v->more > 0)
                (void) snprintf(more, sizeof more, ", and %zu more", v->more);
        if (v->until > 0)
                format_time(v->until, v->now, until, sizeof until);
        (void) snprintf(text, DRAIN_TEXT_MAX, "%s%s, %s%s", who, more,
                        v->until > 0 ? "until " : "without limit", until);
}

/* Since when a worker has had its request, CLOCK_MONOTONIC; USEC_INFINITY for none, which comes last. */
static usec_t busy_since(const WorkerRecord *record)
{
        return has_request(record) ? record->request_started : USEC_INFINITY;
}

/* False when nothing is left to wait for. */
static bool drain_look(const Generation *g, DrainView *ret)
{
        usec_t monotonic = now_monotonic(), since = USEC_INFINITY;
        size_t n = 0;

        *ret = (DrainView){ .now = now_realtime() };
        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerRecord record;

                if (!worker_lives(&g->workers.slots[i]))
                        continue;
                (void) scoreboard_read(g->workers.board, i, &record);
                if (n++ > 0 && busy_since(&record) >= since)
                        continue;
                since = busy_since(&record);
                ret->record = record;
                ret->pid = g->workers.slots[i].pid;
        }
        if (since != USEC_INFINITY)
                ret->since = usec_sub(ret->now, usec_sub(monotonic, since));
        if (g->deadline > 0)
                ret->until = usec_add(ret->now, usec_sub(g->deadline, monotonic));
        ret->more = n > 0 ? n - 1 : 0;
        ret->is_template = n == 0;
        if (n == 0)
                ret->pid = template_pid(g->template);
        return n > 0 || g->template_state != TEMPLATE_DEAD;
}

void drain_waits_for(const Manager *m, char text[DRAIN_TEXT_MAX])
{
        DrainView view;

        text[0] = 0;
        for (const Generation *g = m->retired; g; g = g->older)
                if (g->tell_at == 0 && drain_look(g, &view)) {
                        drain_format(&view, text);
                        return;
                }
}

static void tell_wait(const Manager *m, Generation *g)
{
        char pid[16], text[DRAIN_TEXT_MAX], since[32];
        bool busy, stops = m->state >= POOL_DRAINING;
        DrainView view;

        g->tell_at = 0;
        if (!drain_look(g, &view))
                return;
        busy = view.since > 0;
        drain_format(&view, text);
        (void) snprintf(pid, sizeof pid, "%d", view.pid);
        (void) snprintf(since, sizeof since, "%llu", (unsigned long long) usec_sub(view.now, view.since));
        (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(DRAIN_WAITS),
                          (LogField[]){
                                          { "PHP_GENERATION", g->id_text },
                                          { "PHP_WORKER_PID", view.is_template ? NULL : pid },
                                          { "PHP_REQUEST_USEC", busy ? since : NULL },
                                          { "PHP_SCRIPT", busy ? view.record.script : NULL },
                                          { "REQUEST_METHOD", busy ? view.record.method : NULL },
                                          { "REQUEST_URI", busy ? view.record.uri : NULL },
                                          {},
                          },
                          "Pool %s %s generation %s waits for %s.", m->pool,
                          stops ? "stops, and its" : "goes on with new workers, and its", g->id_text, text);
}

/* ---- Generations that end ---- */

static bool generation_gone(const Generation *g)
{
        return g->template_state == TEMPLATE_DEAD && generation_alive(g) == 0;
}

/* Its time is over. */
static void kill_generation(const Manager *m, Generation *g)
{
        size_t alive = generation_alive(g), busy;
        char what[64] = "PHP's template";
        KillReason why = g->drain_reason;

        busy = generation_kill(g, why);
        g->deadline = 0;
        if (alive > 0)
                (void) snprintf(what, sizeof what, "%zu worker%s, %zu of them with a request,", alive,
                                alive == 1 ? "" : "s", busy);
        (void) log_record(LOG_WARNING, 0,
                          why == KILL_STALL_DRAIN ? MESSAGE_ID(DRAIN_STALLED) : MESSAGE_ID(DRAIN_TIMEOUT),
                          (LogField[]){ { "PHP_GENERATION", g->id_text }, {} },
                          "Pool %s, generation %s: %s did not end and must be killed: %s.", m->pool,
                          g->id_text, what, kill_reason_text(why));
}

void drain_retire(Manager *m, Generation *g, KillReason why, usec_t deadline)
{
        generation_retire(g, why, deadline);
        g->tell_at = usec_add(now_monotonic(), DRAIN_TELL_AFTER);
        g->older = m->retired;
        m->retired = g;
}

void drain_step(Manager *m, usec_t now, usec_t *earliest)
{
        for (Generation **p = &m->retired; *p;) {
                Generation *g = *p;

                /* Until then it reads slow requests' backtraces, and tells of workers that were ordered. */
                if (generation_alive(g) == 0 && !generation_expects(g))
                        template_retire(g->template);
                if (generation_gone(g)) {
                        *p = g->older;
                        generation_free(g);
                        continue;
                }
                if (g->deadline > 0 && now >= g->deadline)
                        kill_generation(m, g);
                if (g->tell_at > 0 && now >= g->tell_at)
                        tell_wait(m, g);
                earlier(earliest, g->tell_at);
                earlier(earliest, g->deadline);
                p = &g->older;
        }
}

/* ---- The end of the pool ---- */

/* Generations that were to end already get no more time than they had; what they wait for is said anew. */
static void hurry_retired(Manager *m, KillReason why, usec_t deadline)
{
        for (Generation *g = m->retired; g; g = g->older) {
                workers_retire_stop(&g->workers);
                g->tell_at = usec_add(now_monotonic(), DRAIN_TELL_AFTER);
                if (why == KILL_STALL_DRAIN && (g->deadline == 0 || g->deadline > deadline)) {
                        g->deadline = deadline;
                        g->drain_reason = why;
                }
        }
}

static void retire_all(Manager *m)
{
        Generation *last[] = { m->current, m->next };
        usec_t drain = m->current ? m->current->config->reload_drain_timeout : 0, deadline;
        KillReason why = KILL_STOP_DRAIN;

        if (m->stop == STOP_STALLED && (drain == 0 || drain > DRAIN_STALLED)) {
                why = KILL_STALL_DRAIN;
                drain = DRAIN_STALLED;
        }
        deadline = drain > 0 ? usec_add(now_monotonic(), drain) : 0;
        hurry_retired(m, why, deadline);
        m->current = m->next = NULL;
        for (size_t i = 0; i < ELEMENTSOF(last); i++) {
                bool served = last[i] && generation_is_ready(last[i]);

                if (!last[i])
                        continue;
                drain_retire(m, last[i], why, deadline);
                if (!served)
                        (void) generation_kill(last[i], KILL_UNUSED);
        }
}

static void tell_stop(const Manager *m)
{
        int level;
        const char *text = stop_reason_text(m->stop, &level);

        if (text)
                (void) log_record(level, 0, MESSAGE_ID(STOPPING), NULL, "Pool %s stops: %s.", m->pool, text);
}

void manager_stop(Manager *m, StopReason why)
{
        if (m->state >= POOL_DRAINING)
                return;
        m->stop = why;
        m->reload_again = false;
        control_reload_done(m->control, "the pool is stopping");
        manager_watch_sockets(m, false);
        (void) sd_event_source_set_enabled(m->tick_source, SD_EVENT_OFF);
        tell_stop(m);
        manager_set_state(m, POOL_DRAINING);
        parking_drain(m->parking);
        retire_all(m);
        manager_changed(m);
}

/* systemd ends with the service whatever requests have left running: KillMode=control-group. */
static void tell_left(void)
{
        Left left = {};

        if (left_look(/* own= */ -1, &left) >= 0 && left.n > 0)
                left_tell(&left, MESSAGE_ID(LEFT_ENDED),
                          "The pool ends, and with the service systemd ends programs that requests started "
                          "and left");
}

void drain_end(Manager *m)
{
        if (m->retired)
                return;
        manager_set_state(m, POOL_STOPPING);
        (void) reap_report(m, USEC_INFINITY);
        tell_left();
        parking_store(m->parking, m->descriptor_limit);
        /* php-poolctl stop waits for this; the loop must not wait for a client. */
        m->control = control_free(m->control);
        (void) sd_event_exit(m->event, m->exit_status);
}
