/* SPDX-License-Identifier: MIT */

/* How generations end: see drain.h. draining.c carries it out. */

#include "manager/decide/drain.h"

DrainStep drain_decide(const DrainView *v)
{
        DrainStep step = {
                /* Until then it reads slow requests' backtraces, and tells of workers that were ordered. */
                .end_template = v->alive == 0 && !v->expects,
                .gone = v->alive == 0 && v->template_dead,
        };

        if (step.gone)
                return step;
        step.kill = v->deadline > 0 && v->now >= v->deadline;
        step.tell = v->tell_at > 0 && v->now >= v->tell_at;
        return step;
}

DrainLimit drain_limit(StopReason why, usec_t timeout)
{
        if (why == STOP_STALLED && (timeout == 0 || timeout > DRAIN_STALLED))
                return (DrainLimit){ .time = DRAIN_STALLED, .why = KILL_STALL_DRAIN };
        return (DrainLimit){ .time = timeout, .why = KILL_STOP_DRAIN };
}
