/* SPDX-License-Identifier: MIT */

/*
 * The end of generations and of the pool: see draining.h. It owns the list of retired generations, orders
 * their workers to end and has those killed that do not, each for its own reason (reasons.def). It never
 * waits: what is due later is left to a later step.
 */

#include "manager/life/draining.h"

#include <stdio.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/decide/drain.h"
#include "manager/pool/generation-count.h"

/* ---- What is waited for ---- */

void draining_waits_for(const Pool *p, char text[DRAIN_TEXT_MAX])
{
        DrainWait wait;

        text[0] = 0;
        for (const Generation *g = p->retired; g; g = g->older)
                if (g->tell_at == 0 && drain_wait_look(g, &wait)) {
                        drain_wait_format(&wait, text);
                        return;
                }
}

static void tell_wait(const Pool *p, Generation *g)
{
        char pid[16], text[DRAIN_TEXT_MAX], since[32];
        bool busy, stops = p->life.state >= POOL_DRAINING;
        DrainWait wait;

        g->tell_at = 0;
        if (!drain_wait_look(g, &wait))
                return;
        busy = wait.since > 0;
        drain_wait_format(&wait, text);
        (void) snprintf(pid, sizeof pid, "%d", wait.pid);
        (void) snprintf(since, sizeof since, "%llu", (unsigned long long) usec_sub(wait.now, wait.since));
        (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(DRAIN_WAITS),
                          (LogField[]){
                                          { "PHP_GENERATION", g->id_text },
                                          { "PHP_WORKER_PID", wait.is_template ? NULL : pid },
                                          { "PHP_REQUEST_USEC", busy ? since : NULL },
                                          { "PHP_SCRIPT", busy ? wait.record.script : NULL },
                                          { "REQUEST_METHOD", busy ? wait.record.method : NULL },
                                          { "REQUEST_URI", busy ? wait.record.uri : NULL },
                                          {},
                          },
                          "Pool %s %s generation %s waits for %s.", p->name,
                          stops ? "stops, and its" : "goes on with new workers, and its", g->id_text, text);
}

/* ---- Generations that end ---- */

/* Its time is over. */
static void kill_generation(const Pool *p, Generation *g)
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
                          "Pool %s, generation %s: %s did not end and must be killed: %s.", p->name,
                          g->id_text, what, kill_reason_text(why));
}

void draining_retire(Pool *p, Generation *g, KillReason why, usec_t deadline)
{
        generation_retire(g, why, deadline);
        g->tell_at = usec_add(now_monotonic(), DRAIN_TELL_AFTER);
        g->older = p->retired;
        p->retired = g;
}

static DrainStep decide(const Generation *g, usec_t now)
{
        DrainView view = {
                .alive = generation_alive(g),
                .expects = generation_expects(g),
                .template_dead = g->template_state == TEMPLATE_DEAD,
                .now = now,
                .deadline = g->deadline,
                .tell_at = g->tell_at,
        };

        return drain_decide(&view);
}

void draining_step(Pool *p, usec_t now, usec_t *earliest)
{
        for (Generation **at = &p->retired; *at;) {
                Generation *g = *at;
                DrainStep step = decide(g, now);

                if (step.end_template)
                        template_retire(g->template);
                if (step.gone) {
                        *at = g->older;
                        generation_free(g);
                        continue;
                }
                if (step.kill)
                        kill_generation(p, g);
                if (step.tell)
                        tell_wait(p, g);
                earlier(earliest, g->tell_at);
                earlier(earliest, g->deadline);
                at = &g->older;
        }
}

/* ---- The end of the pool ---- */

/*
 * Generations that retired earlier keep their deadline, or get an earlier one; the log says anew what they
 * wait for.
 */
static void hurry_retired(Pool *p, KillReason why, usec_t deadline)
{
        for (Generation *g = p->retired; g; g = g->older) {
                workers_retire_stop(&g->workers);
                g->tell_at = usec_add(now_monotonic(), DRAIN_TELL_AFTER);
                if (why == KILL_STALL_DRAIN && (g->deadline == 0 || g->deadline > deadline)) {
                        g->deadline = deadline;
                        g->drain_reason = why;
                }
        }
}

static void retire_last(Pool *p, Generation *g, const DrainLimit *limit, usec_t deadline)
{
        bool served;

        if (!g)
                return;
        served = generation_is_ready(g);
        draining_retire(p, g, limit->why, deadline);
        if (!served)
                (void) generation_kill(g, KILL_UNUSED);
}

static void retire_all(Pool *p)
{
        Generation *current = p->current, *next = p->next;
        DrainLimit limit = drain_limit(p->life.stop, current ? current->config->reload_drain_timeout : 0);
        usec_t deadline = limit.time > 0 ? usec_add(now_monotonic(), limit.time) : 0;

        hurry_retired(p, limit.why, deadline);
        p->current = p->next = NULL;
        retire_last(p, current, &limit, deadline);
        retire_last(p, next, &limit, deadline);
}

static void tell_stop(const Pool *p)
{
        int level;
        const char *text = stop_reason_text(p->life.stop, &level);

        if (text)
                (void) log_record(level, 0, MESSAGE_ID(STOPPING), NULL, "Pool %s stops: %s.", p->name,
                                  text);
}

void draining_begin(Pool *p)
{
        assert(p->life.stop != STOP_NONE);
        p->sizing.watch = false;
        p->reloads.taken = p->reloads.asked;
        pool_reload_ended(p, "the pool is stopping");
        tell_stop(p);
        pool_set_state(p, POOL_DRAINING);
        parking_stop(p->parking);
        retire_all(p);
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

void draining_end(Pool *p)
{
        if (p->retired)
                return;
        pool_set_state(p, POOL_STOPPING);
        tell_left();
        parking_store(p->parking, p->descriptor_limit);
}
