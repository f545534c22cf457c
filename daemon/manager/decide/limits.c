/* SPDX-License-Identifier: MIT */

/* What is to be done about a request that takes too long: see limits.h. Pure; enforce.c does it. */

#include "manager/decide/limits.h"

/*
 * FINISHING is what runs after the answer: after fastcgi_finish_request(), and shutdown functions. Those of
 * a request that is condemned already must come to an end all the same. A client that does not take the
 * answer has not been answered.
 */
static bool terminate_applies(const Config *c, const LimitView *v)
{
        return c->request_terminate_timeout > 0 &&
               (v->stage == STAGE_RUNNING || v->stage == STAGE_SENDING ||
                (v->stage == STAGE_FINISHING &&
                 (c->request_terminate_timeout_track_finished || v->measure != LIMIT_NONE)));
}

/*
 * How long the measure that was taken last may take to have its effect; before the first, the limit itself.
 */
static usec_t patience(const Config *c, const LimitView *v)
{
        if (v->measure == LIMIT_NONE)
                return c->request_terminate_timeout;
        return v->measure == LIMIT_INTERRUPT && v->stage == STAGE_FINISHING ? LIMIT_SHUTDOWN_GRACE
                                                                         : LIMIT_GRACE;
}

/* An interrupt ends a script: it is no help where that is over, and the client does not take the answer. */
static LimitMeasure next_measure(const LimitView *v)
{
        if (v->measure == LIMIT_NONE && v->stage == STAGE_SENDING)
                return LIMIT_TERMINATE;
        return v->measure + 1;
}

static void decide_terminate(const Config *c, const LimitView *v, LimitVerdict *verdict)
{
        usec_t age = v->measure == LIMIT_NONE ? v->age : v->since, limit = patience(c, v);

        if (v->measure == LIMIT_KILL)
                return;
        if (age < limit) {
                verdict->next = MIN(verdict->next, limit - age);
                return;
        }
        verdict->measure = next_measure(v);
        if (verdict->measure < LIMIT_KILL)
                verdict->next = MIN(verdict->next, LIMIT_GRACE);
}

LimitVerdict limit_decide(const Config *c, const LimitView *v)
{
        LimitVerdict verdict = { .measure = v->measure, .next = USEC_INFINITY };

        assert(v->stage < _STAGE_MAX && v->measure <= LIMIT_KILL);
        if (c->request_slowlog_timeout > 0 && v->stage == STAGE_RUNNING && !v->traced) {
                verdict.trace = v->age >= c->request_slowlog_timeout;
                if (!verdict.trace)
                        verdict.next = c->request_slowlog_timeout - v->age;
        }
        if (terminate_applies(c, v))
                decide_terminate(c, v, &verdict);
        return verdict;
}
