/* SPDX-License-Identifier: MIT */
#pragma once

/* How generations end, after a reload and when the pool stops. Pure: no clock, no log. */

#include "base/time.h"
#include "manager/decide/reasons.h"

/* A client that waits for a stop, or for a reload, is told what for after this time. */
#define DRAIN_TELL_AFTER (2 * USEC_PER_SEC)

/* How long requests may go on when all of them hang, and systemd restarts the pool for that. */
#define DRAIN_STALLED (5 * USEC_PER_SEC)

/* A generation that was told to end, as it is. Times are CLOCK_MONOTONIC. */
typedef struct DrainView {
        size_t alive;       /* its workers */
        bool expects;       /* a worker was ordered, and it is not known yet whether it was forked */
        bool template_dead;
        usec_t now;
        usec_t deadline;    /* its processes are killed then; 0 for never */
        usec_t tell_at;     /* the log says then what its end waits for; 0 when it has */
} DrainView;

typedef struct DrainStep {
        bool end_template; /* no worker needs its template any more */
        bool gone;         /* nothing is left of it */
        bool kill;
        bool tell;
} DrainStep;

DrainStep drain_decide(const DrainView *view);

/* How long running requests have when the pool stops, and why they are killed then. */
typedef struct DrainLimit {
        usec_t time; /* 0 for no limit */
        KillReason why;
} DrainLimit;

/* timeout is reload.drain_timeout, 0 for no limit. */
DrainLimit drain_limit(StopReason why, usec_t timeout);
