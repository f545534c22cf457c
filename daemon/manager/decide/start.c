/* SPDX-License-Identifier: MIT */

/* How a generation starts and takes over: see start.h. starting.c carries it out. */

#include "manager/decide/start.h"

/* Whether it cannot become ready any more, or has not in time; START_WAIT for neither. */
static StartStep decide_failure(const StartView *v)
{
        if (v->ordered && v->stillborn)
                return START_STILLBORN;
        if (v->now < v->deadline)
                return START_WAIT;
        return v->template_up && !v->ordered ? START_NO_ROOM : START_LATE;
}

/*
 * PHP starts without an extension that it cannot load, and so does a pool, also when its warm-up failed. But
 * one that serves has more to lose than to win by a reload to such a generation.
 */
StartStep start_decide(const StartView *v)
{
        StartStep failure;

        if (v->failed)
                return START_FAILED;
        if (v->reload && v->complains)
                return START_COMPLAINS;
        if (v->reload && v->lost_extensions)
                return START_EXTENSIONS;
        if (v->ready)
                return START_TAKE_OVER;
        if (v->template_up && !v->ordered && v->room)
                return START_ORDER;
        failure = decide_failure(v);
        if (failure != START_WAIT)
                return failure;
        return !v->told && v->now >= usec_add(v->started, START_TELL_AFTER) ? START_TELL : START_WAIT;
}

HandoverStep handover_decide(const HandoverView *v)
{
        if (!v->accepts)
                return HANDOVER_DONE;
        return v->now >= usec_add(v->retired, HANDOVER_MAX) ? HANDOVER_KILL : HANDOVER_WAIT;
}
