/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A pool that has reached pm.max_children: how often that happens, and whether connections have to wait for
 * it. The count is PHP-FPM's "max children reached": each time that the pool would need one worker more.
 * Only when a connection waits, the log says so. Pure: no clock, no log.
 */

#include "base/time.h"

/* The log says it this often at most. */
#define SATURATION_TELL_INTERVAL (60 * USEC_PER_SEC)

/*
 * A connection counts as waiting when it waits at two looks so far apart: not when a worker is just about to
 * take it.
 */
#define SATURATION_CONFIRM (100 * USEC_PER_MSEC)

/* How soon the manager looks again when no connection waited: a full pool must not keep it awake. */
#define SATURATION_PAUSE (5 * USEC_PER_SEC)

typedef struct Saturation {
        bool reached;   /* pm.max_children is reached */
        uint64_t n;     /* how often it was */
        bool watching;  /* all workers are busy, and the next connection is to wake the manager */
        bool expecting; /* some worker is idle, and the last one that is not any more is to wake it */
        usec_t seen;    /* CLOCK_MONOTONIC: when a connection was first seen to wait; 0 for not */
        usec_t next;    /* CLOCK_MONOTONIC: no look before */
        usec_t told;    /* CLOCK_MONOTONIC: when it was said last; 0 for never */
} Saturation;

/* The pool as it is; times are CLOCK_MONOTONIC. */
typedef struct SaturationView {
        bool reached; /* more workers are wanted than pm.max_children allows */
        size_t idle;  /* workers that wait */
        bool waiting; /* connections that wait */
        bool woken;   /* a listening socket told of one */
        usec_t now;
} SaturationView;

typedef struct SaturationStep {
        bool tell;      /* say that connections wait */
        bool watch;     /* watch the listening sockets */
        unsigned least; /* wake the manager when fewer workers are idle; 0 for never */
        usec_t again;   /* look again then, CLOCK_MONOTONIC; 0 for never */
} SaturationStep;

/* Notes how the pool is, and says what follows. */
SaturationStep saturation_note(Saturation *s, const SaturationView *v);

/* Another generation serves: it reaches its own limit anew. */
void saturation_reset(Saturation *s);
