/* SPDX-License-Identifier: MIT */
#pragma once

/* Time in microseconds, as systemd counts it. */

#include "base/util.h"

typedef uint64_t usec_t;

#define USEC_PER_MSEC ((usec_t) 1000)
#define USEC_PER_SEC ((usec_t) 1000000)
#define USEC_INFINITY ((usec_t) UINT64_MAX)

/* Since boot, not counting suspend (CLOCK_MONOTONIC): for intervals. */
usec_t now_monotonic(void);

/* Since 1970 (CLOCK_REALTIME): for people. */
usec_t now_realtime(void);

/* a - b, never below 0. */
static inline usec_t usec_sub(usec_t a, usec_t b)
{
        return a > b ? a - b : 0;
}

/* a + b, USEC_INFINITY where it would overflow. */
static inline usec_t usec_add(usec_t a, usec_t b)
{
        return a > USEC_INFINITY - b ? USEC_INFINITY : a + b;
}

/* Has the timerfd elapsed once, so much later; 1 µs is the least. 0 or -errno. */
int timer_start(int timer_fd, usec_t after);
