/* SPDX-License-Identifier: MIT */
#pragma once

/* Taking connections: new ones from the listening sockets, and those that the manager hands out. */

#include "config/clients.h"
#include "ipc/handoff.h"
#include "worker/context.h"

typedef struct Taker {
        const WorkerContext *context;
        Clients clients;       /* security.allowed_clients */
        int retire_fd;         /* borrowed: an order to retire ends a pause */
        usec_t refused_logged; /* CLOCK_MONOTONIC; 0 for never */
        unsigned refused_more; /* not logged since then */
} Taker;

Taker taker_make(const WorkerContext *context, int retire_fd);

/*
 * Takes one connection from a Source that had some. Its descriptor, which is the caller's as is the head of
 * *ret; -EPIPE where the manager is gone; or another -errno: somebody else has it, the client is not
 * allowed, or the system refused it, which was logged and has cost a pause.
 */
int taker_take(Taker *taker, int source, Origin *ret);
