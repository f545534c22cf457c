/* SPDX-License-Identifier: MIT */

/*
 * Waiting for descriptors: see wait.h. A signal handler's return is no event: a worker's handlers only
 * leave a note (worker.c), and the wait goes on.
 */

#include "worker/request/wait.h"

#include <time.h>

int wait_for_any(struct pollfd *fds, size_t n_fds, usec_t deadline)
{
        for (;;) {
                usec_t left = deadline == USEC_INFINITY ? 0 : usec_sub(deadline, now_monotonic());
                struct timespec ts = {
                        .tv_sec = (time_t) (left / USEC_PER_SEC),
                        .tv_nsec = (long) (left % USEC_PER_SEC) * 1000,
                };
                int n;

                n = ppoll(fds, n_fds, deadline == USEC_INFINITY ? NULL : &ts, NULL);
                if (n > 0)
                        return 0;
                if (n == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return -errno;
        }
}

int wait_for(int fd, short events, usec_t deadline)
{
        struct pollfd p = { .fd = fd, .events = events };

        return wait_for_any(&p, 1, deadline);
}
