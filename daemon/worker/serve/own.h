/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The worker's own connection, of which it has one at most: one that it serves, that is kept
 * (FCGI_KEEP_CONN), or that has said nothing yet. It is served in turns: a turn gives all requests that are
 * there, and one that comes within some patience, and is over when there is no more.
 */

#include "worker/serve/slot.h"
#include "worker/serve/sources.h"
#include "worker/transport/transport.h"

typedef enum OwnTurn {
        OWN_TURN_OVER,
        OWN_TURN_BEGINS,  /* it is to be read */
        OWN_TURN_GOES_ON, /* a request of it was given; it is read again where more of the client is here */
} OwnTurn;

typedef struct Own {
        const WorkerContext *context;
        const Slot *slot;
        Sources *sources;
        Connection *connections[_PROTOCOL_MAX]; /* for each protocol, owned; at most one has a socket */
        Connection *connection;                 /* the one that was used last */
        OwnTurn turn;
        usec_t patience; /* of the turn: for the next request */
        char peer[INET6_ADDRSTRLEN]; /* once somebody asked; "" before */
} Own;

/* Makes the objects; own_free() frees them, also after an error. 0 or -ENOMEM. */
int own_init(Own *own, const ConnectionHooks *hooks, void *userdata);
void own_free(Own *own);

/* Whether there is one. */
static inline bool own_is_there(const Own *own)
{
        return connection_fd(own->connection) >= 0;
}

/* Takes a connection over, whatever comes of it, and gives it a turn. There must be none. */
void own_open(Own *own, int fd, const Origin *origin);
void own_close(Own *own);

/* Gives it a turn. */
void own_give_turn(Own *own, usec_t patience);

/*
 * The next request of the turn, or NULL when it is over, also where there was none. After it the connection
 * waits in the sources where it stays, unless it is closed, or is with the manager because the client has
 * sent part of a request. Where it does not stay, its end is up to the caller.
 */
Request *own_next(Own *own, bool stays);

/* Ends its turn, whatever there is. */
void own_end_turn(Own *own);

/* The web server's address, as long as there is a socket to ask; "" over a Unix socket. */
const char *own_find_peer(Own *own);

/* park(), for it: 0 or -EAGAIN. */
int own_park(Own *own);

/* Where that failed: waits for what park_wait() waits for, and gives it a turn where it is to be read. */
void own_wait_to_park(Own *own, int retire_fd);
