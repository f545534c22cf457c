/* SPDX-License-Identifier: MIT */

/*
 * What the manager does at the end of a turn, in order: see step.h. Each part looks at the book and does
 * what is due. Nothing here waits.
 */

#include "manager/step.h"

#include "manager/life/draining.h"
#include "manager/life/reap.h"
#include "manager/life/replacing.h"
#include "manager/life/sizing.h"
#include "manager/life/starting.h"
#include "manager/life/verdict.h"
#include "manager/pool/enforce.h"

/* Workers whose requests may be beyond a limit. */
static void step_limits(Pool *p)
{
        FOREACH_GENERATION(g, p)
                p->totals.slow_requests += enforce_limits(g);
}

/* Workers measure for the status as long as somebody looks at it. */
static void step_watched(Pool *p, usec_t now, usec_t *earliest)
{
        bool watched = now < p->watched_until;

        if (watched)
                earlier(earliest, p->watched_until);
        if (watched == p->watched)
                return;
        p->watched = watched;
        FOREACH_GENERATION(g, p)
                scoreboard_set_watched(g->workers.board, watched);
}

/* Whether there is a wish that the state of the pool allows to be fulfilled. */
static bool wishes(const Pool *p)
{
        if (p->life.stop != STOP_NONE)
                return p->life.state < POOL_DRAINING;
        return p->life.state == POOL_RUNNING && p->reloads.asked > p->reloads.served;
}

/* What was wished for since the last step. */
static void step_wishes(Pool *p)
{
        if (wishes(p) && p->life.stop != STOP_NONE)
                draining_begin(p);
        else if (wishes(p))
                starting_reload(p);

        if (p->sizing.rouse) {
                p->sizing.rouse = false;
                sizing_rouse(p);
        }
}

/* Generations: those that end, the one that starts, the one that serves. */
static void step_generations(Pool *p, usec_t now, usec_t *earliest)
{
        draining_step(p, now, earliest);
        if (p->next)
                starting_step(p, now, earliest);
        if (p->current)
                sizing_step(p, now, earliest);
        if (p->current && p->life.state == POOL_RUNNING && !pool_ends(p))
                replacing_step(p, now, earliest);
        if ((p->life.state == POOL_STARTING || p->life.state == POOL_RELOADING) && p->current && !p->next)
                starting_step_handover(p, now, earliest);
        if (p->life.state == POOL_DRAINING)
                draining_end(p);
}

/* Life acts. */
static void act(Pool *p, usec_t now, usec_t *earliest)
{
        if (p->current)
                generation_look(p->current);
        if (p->next)
                generation_look(p->next);

        step_limits(p);
        step_wishes(p);
        step_generations(p, now, earliest);
        step_watched(p, now, earliest);
        verdict_step(p, now);
        earlier(earliest, reap_report(p, now));
}

/* Faces tell what has changed. */
static void look(Step *step, usec_t now, usec_t *earliest)
{
        watchdog_look(step->watchdog);
        earlier(earliest, notify_look(step->notify, now));
        control_look(step->control);
}

/* What wakes the manager next. */
static void arm(Step *step, usec_t earliest)
{
        const Pool *p = step->pool;

        for (size_t i = 0; i < p->listen.n; i++)
                (void) sd_event_source_set_enabled(step->listen_sources[i],
                                                   p->sizing.watch ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
        (void) sd_event_source_set_time(step->timer_source, earliest);
        (void) sd_event_source_set_enabled(step->timer_source,
                                           earliest < USEC_INFINITY ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

int step_on_turn(sd_event_source *s _unused_, void *userdata)
{
        usec_t now = now_monotonic(), earliest = USEC_INFINITY;
        Step *step = userdata;
        Pool *p = step->pool;

        act(p, now, &earliest);
        look(step, now, &earliest);
        arm(step, earliest);
        if (p->life.state == POOL_STOPPING)
                return sd_event_exit(p->event, stop_reason_exit_status(p->life.stop));
        return 0;
}
