/* SPDX-License-Identifier: MIT */

/* The two clocks: see time.h. */

#include "base/time.h"

#include <time.h>

static usec_t now(clockid_t clock)
{
        struct timespec ts;

        (void) clock_gettime(clock, &ts);
        return (usec_t) ts.tv_sec * USEC_PER_SEC + (usec_t) ts.tv_nsec / 1000;
}

usec_t now_monotonic(void)
{
        return now(CLOCK_MONOTONIC);
}

usec_t now_realtime(void)
{
        return now(CLOCK_REALTIME);
}
