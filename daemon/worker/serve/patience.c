/* SPDX-License-Identifier: MIT */

/*
 * A worker's patience with one client: see patience.h. One poll(2) watches the client and whatever else
 * could need this worker: clients that say nothing must not add up to a wait of those behind them.
 */

#include "worker/serve/patience.h"

#include "worker/request/wait.h"

int patience_wait(const Inherit *inherit, int connection, usec_t least, usec_t most)
{
        struct pollfd fds[1 + INHERIT_LISTEN_MAX + 1] = { { .fd = connection, .events = POLLIN } };
        size_t n = 1;
        int r;

        if (most <= least)
                return wait_for(connection, POLLIN, least);

        for (size_t i = 0; i < inherit->n_listen; i++)
                fds[n++] = (struct pollfd){ .fd = inherit->listen[i].fd, .events = POLLIN };
        fds[n++] = (struct pollfd){ .fd = inherit->handoff, .events = POLLIN };

        r = wait_for_any(fds, n, most);
        if (r < 0 || fds[0].revents)
                return r;
        return wait_for(connection, POLLIN, least); /* somebody waits */
}
