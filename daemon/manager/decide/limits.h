/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The time limits of requests, request.terminate_timeout and request.slowlog_timeout: what is due when a
 * request takes too long.
 */

#include "config/config.h"
#include "scoreboard/scoreboard.h"

/* A condemned request has this long to end by the milder of two measures. */
#define LIMIT_GRACE USEC_PER_SEC

/* Shutdown functions of a condemned request have longer. */
#define LIMIT_SHUTDOWN_GRACE (5 * USEC_PER_SEC)

/* What was done about a request that takes too long. The order is that of escalation. */
typedef enum LimitMeasure {
        LIMIT_NONE,
        LIMIT_INTERRUPT, /* PHP ends the script: 504, shutdown functions run */
        LIMIT_TERMINATE, /* SIGTERM: the worker answers 504, if it can, and ends at once */
        LIMIT_KILL,      /* SIGKILL */
} LimitMeasure;

/* A worker's request, as far as limits go. */
typedef struct LimitView {
        Stage stage;
        usec_t age;     /* since it began; of STAGE_SENDING since the client first kept it waiting */
        bool traced;    /* the slow log has it */
        LimitMeasure measure; /* what was done so far */
        usec_t since;   /* how long ago that was */
} LimitView;

typedef struct LimitVerdict {
        bool trace;     /* have it in the slow log */
        LimitMeasure measure; /* go as far as this; the view's own for nothing new */
        usec_t next;    /* look again after this time; USEC_INFINITY for never */
} LimitVerdict;

/* Decides about one request. Pure. */
LimitVerdict limit_decide(const Config *config, const LimitView *view);
