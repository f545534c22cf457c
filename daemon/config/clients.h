/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Which clients may connect over IP: security.allowed_clients. Each process that takes connections asks: a
 * worker and, for the status sockets, the manager.
 */

#include "base/time.h"
#include "config/network.h"

typedef struct Clients {
        const Network *allowed; /* borrowed; where there are any, only these may connect */
        size_t n_allowed;
        usec_t refused_logged; /* CLOCK_MONOTONIC; 0 for never */
        unsigned refused_more; /* not logged since then */
} Clients;

/*
 * Whether this client of a socket that is no Unix socket may go on: the address is what accept4(2) gave.
 * The first client that may not is logged, and then one a minute, with a count. The caller closes the
 * connection.
 */
bool clients_allow(Clients *clients, const struct sockaddr_storage *peer);
