/* SPDX-License-Identifier: MIT */

/*
 * Parking: see park.h. Nobody waits behind an idle connection, and none ends because its worker does. What
 * is parked, and when, is own.c's and intake.c's to say.
 */

#include "worker/serve/park.h"

#include <poll.h>

#include "base/log.h"
#include "worker/request/wait.h"

/* Where the descriptors that are on their way are too many for one more. */
#define PARK_PAUSE (10 * USEC_PER_MSEC)

int park_fd(int handoff, const Origin *origin, int fd)
{
        return handoff_send(handoff, &(Handoff) { .kind = HANDOFF_PARK, .fd = fd, .origin = *origin });
}

int park(int handoff, Connection *c)
{
        Origin origin;
        int r;

        r = connection_save(c, &origin);
        if (r >= 0) {
                r = park_fd(handoff, &origin, connection_fd(c));
                origin_close(&origin);
        }
        if (r == -ETOOMANYREFS || r == -ENOBUFS || r == -ENOMEM) {
                /* No event tells the end of that: unix(7). */
                (void) wait_for(-1, 0, usec_add(now_monotonic(), PARK_PAUSE));
                r = -EAGAIN;
        }
        if (r == -EAGAIN)
                return r;
        if (r < 0)
                (void) log_debug_errno(r, "Failed to park a connection, closing it: %m");
        connection_close(c);
        return 0;
}

/* How long poll(2) may wait for the rest of a request that has begun; -1 for ever. */
static int head_patience(const Connection *c)
{
        usec_t deadline = connection_deadline(c), left;

        if (deadline == USEC_INFINITY)
                return -1;
        left = usec_sub(deadline, now_monotonic()) / USEC_PER_MSEC + 1;
        return left < INT32_MAX ? (int) left : INT32_MAX;
}

bool park_wait(int handoff, const Connection *c, int retire_fd)
{
        struct pollfd fds[] = {
                { .fd = handoff, .events = POLLOUT },
                { .fd = connection_fd(c), .events = POLLIN },
                { .fd = retire_fd, .events = POLLIN },
        };
        int n;

        n = poll(fds, ELEMENTSOF(fds), head_patience(c));
        return n == 0 || (n > 0 && fds[1].revents);
}
