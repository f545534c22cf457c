/* SPDX-License-Identifier: MIT */

/* Connections for the next manager: see store.h. */

#include "manager/traffic/store.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

/* Of what is sent along with a descriptor: two names of variables and one of a protocol. */
#define STATE_MAX 64

size_t store_max(uint64_t descriptor_limit)
{
        uint64_t half = descriptor_limit / 2;

        return (size_t) (half > STORE_SPARE ? MIN(half - STORE_SPARE, (uint64_t) STORE_MAX) : 0);
}

void store_connection(const Origin *origin, int connection, size_t *left)
{
        char state[STATE_MAX];

        if (origin->head >= 0 || *left == 0)
                return;
        (*left)--;
        (void) snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", protocol_stored_name(origin->protocol));
        (void) sd_pid_notify_with_fds(0, false, state, &connection, 1);
}

void store_queued(int worker_fd, size_t *left)
{
        Handoff handoff;

        while (handoff_receive(worker_fd, HANDOFF_WORKER, &handoff) > 0) {
                store_connection(&handoff.origin, handoff.fd, left);
                handoff_close(&handoff);
        }
}

void store_lot(const Lot *lot, size_t *left)
{
        for (int fd = lot->ready_first; fd >= 0; fd = lot_get(lot, fd)->next)
                store_connection(&lot_get(lot, fd)->origin, fd, left);
        FOREACH_PARKED(fd, lot)
                if (lot_place(lot, fd) != PLACE_READY)
                        store_connection(&lot_get(lot, fd)->origin, fd, left);
}
