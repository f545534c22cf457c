/* SPDX-License-Identifier: MIT */

/*
 * Sizing: see policy.h. Each mode says how many workers it wants to be there or on their way, and how many
 * it can do without; what all modes share (the limit, the batch, the one extra worker of a take-over) stands
 * once.
 */

#include "manager/decide/policy.h"

/* Surplus workers go at this pace. */
#define MAINTENANCE_USEC USEC_PER_SEC

/* How old a surplus must be before the first one goes: workers are idle for a moment all the time. */
#define SURPLUS_USEC (5 * USEC_PER_SEC)

/* Idle workers that the mode wants, counting those on their way. */
static size_t wanted_idle(const Config *c, const PoolView *v)
{
        if (v->leaving)
                return 0;
        switch (c->pm_mode) {
        case PM_DYNAMIC:
                if (!v->sized)
                        return c->pm_start_servers > 0
                                               ? c->pm_start_servers
                                               : (c->pm_min_spare_servers + c->pm_max_spare_servers) / 2;
                return c->pm_min_spare_servers;
        case PM_ONDEMAND:
                return v->demand || v->busy > 0 ? 1 : 0;
        default:
                return c->pm_max_children; /* and max_children limits it */
        }
}

/* How many to add: what is missing, and at least twice the batch of a moment ago, as demand grows. */
static size_t missing(const Config *c, const PoolView *v)
{
        size_t wanted = wanted_idle(c, v), have = v->idle + v->starting;

        if (have >= wanted)
                return 0;
        if (c->pm_mode == PM_STATIC || !v->sized)
                return wanted - have;
        return MAX(wanted - have, 2 * v->last);
}

static size_t surplus(const Config *c, const PoolView *v)
{
        if (v->leaving)
                return v->idle;
        if (!v->tick)
                return 0;
        if (c->pm_mode == PM_DYNAMIC)
                return v->idle > c->pm_max_spare_servers ? 1 : 0;
        if (c->pm_mode == PM_ONDEMAND)
                return v->idle > wanted_idle(c, v) ? MIN(v->expired, v->idle - wanted_idle(c, v)) : 0;
        return 0;
}

/*
 * What becomes of a surplus, in a pool with so many workers (own) of which so many are idle. A surplus that
 * is there goes worker by worker; where there can be one, the worker that makes it wakes the manager.
 */
static void watch_surplus(const Config *c, const PoolView *v, size_t own, size_t idle, PoolStep *step)
{
        size_t most = c->pm_mode == PM_DYNAMIC ? c->pm_max_spare_servers : 0;

        if (c->pm_mode == PM_STATIC)
                return;
        if (idle > most && c->pm_mode == PM_DYNAMIC)
                step->again = v->tick ? MAINTENANCE_USEC : SURPLUS_USEC;
        else if (idle > most)
                step->again = MAX(v->expiry, MAINTENANCE_USEC);
        else if (own > most)
                step->surplus = (unsigned) most + 1;
}

PoolStep pool_decide(const Config *c, const PoolView *v)
{
        size_t own = v->idle + v->busy + v->starting, all = own + v->old;
        size_t room = all < c->pm_max_children ? c->pm_max_children - all : 0;
        size_t want = missing(c, v);
        PoolStep step = {};

        /* While an earlier generation fills the pool, the new one may have one worker beyond the limit. */
        if (room == 0 && own == 0)
                room = 1;

        step.spawn = MIN(MIN(want, room), c->pm_max_spawn_rate);
        step.more = MIN(want, room) > step.spawn;
        /* A pool that waits for an earlier generation's workers to end is not short of any. */
        step.saturated = own + want > c->pm_max_children && c->pm_mode != PM_STATIC && v->sized;
        if (step.spawn == 0)
                step.retire = surplus(c, v);

        own = own + step.spawn - step.retire;
        if (c->pm_mode != PM_STATIC && own + v->old < c->pm_max_children)
                step.least = c->pm_mode == PM_DYNAMIC ? (unsigned) c->pm_min_spare_servers : 1;
        step.watch = own == 0;
        watch_surplus(c, v, own, v->idle - step.retire, &step);
        if (step.more)
                step.again = MAINTENANCE_USEC;
        return step;
}
