/* SPDX-License-Identifier: MIT */

/*
 * The judgement on a pool: see health.h. Busy is not ill: a pool whose workers are all busy is well as long
 * as requests end or get on, and a pool where no connection waits is well in any case.
 */

#include "manager/decide/health.h"

#define REASON_TEMPLATE "PHP's template is gone and cannot be started again"
#define REASON_STALL                                                                                        \
        "every worker is busy, connections wait, and for watchdog_stall no request ended, "                 \
        "and no client took or sent anything"

bool health_saturated(const HealthView *v)
{
        return v->idle == 0 && !v->coming && v->full && v->queued;
}

bool health_stalled(const HealthView *v)
{
        return v->serving && health_saturated(v) && usec_sub(v->now, v->progress) >= v->stall;
}

const char *health_reason(const HealthView *v)
{
        if (!v->serving)
                return NULL;
        if (!v->template_up && v->replace_given_up)
                return REASON_TEMPLATE;
        return health_stalled(v) ? REASON_STALL : NULL;
}
