/* SPDX-License-Identifier: MIT */
#pragma once

/* How a generation starts and takes over from the one before it. Pure: no clock, no log. */

#include "base/time.h"

/* A start that takes longer says what it waits for: systemctl is silent meanwhile. */
#define START_TELL_AFTER (2 * USEC_PER_SEC)

/* A generation that starts, as it is. Times are CLOCK_MONOTONIC. */
typedef struct StartView {
        bool failed;          /* it cannot go on, and says why */
        bool reload;          /* a reload was asked for, and another generation serves */
        bool complains;       /* PHP has started, but something is wrong with it */
        bool lost_extensions; /* the directory of PHP's *.ini files has become empty since the last start */
        bool template_up;
        bool ordered;         /* its first worker was ordered */
        bool stillborn;       /* no worker is alive: the first could not be forked */
        bool ready;           /* its first worker is ready */
        bool room;            /* for its first worker, beside requests of earlier generations */
        bool told;            /* the log has said that it takes its time */
        usec_t now;
        usec_t started;
        usec_t deadline;      /* of reload.start_timeout */
} StartView;

typedef enum StartStep {
        START_WAIT,
        START_TELL,       /* say what it waits for */
        START_ORDER,      /* order its first worker */
        START_TAKE_OVER,
        START_FAILED,     /* as it says itself */
        START_COMPLAINS,  /* failed: a reload to it would cost more than it brings */
        START_EXTENSIONS, /* failed: PHP would have no extensions any more */
        START_STILLBORN,  /* failed: its first worker could not be forked */
        START_NO_ROOM,    /* failed: there was no room for its first worker in time */
        START_LATE,       /* failed: it was not ready in time */
        _START_STEP_MAX,
} StartStep;

StartStep start_decide(const StartView *view);

/* The generation before, once another one serves. Times are CLOCK_MONOTONIC. */
typedef struct HandoverView {
        bool accepts;   /* a worker of it may still take a connection */
        usec_t retired; /* its workers were told to end */
        usec_t now;
} HandoverView;

/* How soon to look again whether it still takes connections. */
#define HANDOVER_INTERVAL (5 * USEC_PER_MSEC)

/* An idle worker that was told to end ends within this time. One that has not hangs. */
#define HANDOVER_MAX USEC_PER_SEC

typedef enum HandoverStep {
        HANDOVER_DONE, /* it takes no connection any more: the reload has ended */
        HANDOVER_WAIT,
        HANDOVER_KILL, /* kill its workers that may still take one, and wait */
} HandoverStep;

HandoverStep handover_decide(const HandoverView *view);
