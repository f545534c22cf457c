/* SPDX-License-Identifier: MIT */
#pragma once

/* Who may connect over IP: security.allowed_clients. */

#include <sys/socket.h>

#include "worker/context.h"

/* A worker's. Zero it but for the context before the first use. */
typedef struct Clients {
        const WorkerContext *context;
        usec_t refused_logged; /* CLOCK_MONOTONIC; 0 for never */
        unsigned refused_more; /* not logged since then */
} Clients;

/*
 * Whether this client of a socket that is no Unix one may go on: the address is what accept4(2) gave. The
 * first that may not is logged, and then one a minute, with a count. The caller closes the connection.
 */
bool clients_allow(Clients *clients, const struct sockaddr_storage *peer);

/* The same for a connection that was accepted earlier, perhaps under other settings: asks the kernel. */
bool clients_allow_connection(Clients *clients, int fd);
