/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a pool can serve: what a watchdog ping says. A pure function, without clock, descriptors or
 * globals.
 */

#include "base/time.h"

/* The pool as it is. Times are CLOCK_MONOTONIC. */
typedef struct HealthView {
        bool serving;          /* it is past its start, and not asked to stop */
        bool template_up;      /* there is something that workers can be forked from */
        bool replace_given_up; /* REPLACEMENT_FAILED_MAX times in a row, no template could be started */
        bool coming;           /* a worker, or a generation with one, is on its way */
        bool full;             /* no further worker may be started, or none comes to be */
        size_t idle;           /* workers that wait */
        bool queued;           /* connections that wait */
        usec_t now;
        usec_t progress;       /* when a request last ended or began, or one was seen to get on */
        usec_t stall;          /* watchdog_stall */
} HealthView;

/* Every worker is busy, none will come, and connections wait: only the end of a request helps now. */
bool health_saturated(const HealthView *view);

/* And for watchdog_stall none has ended or got on: what runs hangs. */
bool health_stalled(const HealthView *view);

/* Why no progress can be expected, as a part of a sentence, or NULL. A constant: compare by address. */
const char *health_reason(const HealthView *view);
