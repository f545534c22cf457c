/* SPDX-License-Identifier: MIT */

/* The two clocks, and timers: see time.h. */

#include "base/time.h"

#include <sys/timerfd.h>
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

int timer_start(int timer_fd, usec_t after)
{
        struct itimerspec spec = {
                .it_value = {
                        .tv_sec = (time_t) (after / USEC_PER_SEC),
                        .tv_nsec = after > 0 ? (long) (after % USEC_PER_SEC) * 1000 : 1000,
                },
        };

        return timerfd_settime(timer_fd, 0, &spec, NULL) < 0 ? -errno : 0;
}
