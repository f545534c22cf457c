/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A FastCGI connection, and the request that it carries at the moment. A worker has one object, which serves
 * one socket after the other; nothing of the socket's state is left behind between two of them.
 *
 * The socket is non-blocking. The worker waits for the client only with part of a request in hand, for a
 * body that the script wants, and for room for the answer.
 */

#include "base/time.h"
#include "ipc/handoff.h"
#include "worker/request.h"

/*
 * The most that is read, of what a script left of a body, before the client is told that the answer ended.
 */
#define CONNECTION_DRAIN_MAX (1024U * 1024U)

/* What the connection tells its owner. All must be set; none may call the connection. */
typedef struct ConnectionHooks {
        void (*reading)(void *userdata);                          /* bytes have come */
        void (*script_known)(void *userdata, const char *script); /* RequestOps.script_known */
        void (*finishing)(void *userdata); /* the script ended, or the client has all that it will get */
        void (*waiting)(void *userdata, bool begins); /* around each wait for the client to take the answer */
        void (*closing)(void *userdata, int fd);                  /* last chance to forget the descriptor */
} ConnectionHooks;

typedef struct Connection Connection;

/* A new object without a socket; the caller frees it, which closes the socket. 0 or -ENOMEM. */
int connection_new(usec_t header_timeout, const ConnectionHooks *hooks, void *userdata, Connection **ret);
void connection_free(Connection *connection);
DEFINE_CLEANUP(Connection *, connection_free)

/* Takes over a connected, non-blocking socket; there must be none before. */
void connection_open(Connection *connection, int fd, const Handoff *origin);

/* Lets go of the socket, if there is one: also after it was parked. */
void connection_close(Connection *connection);

/* The socket, or -EBADF where there is none, and where it came from. */
int connection_fd(const Connection *connection);
const Handoff *connection_origin(const Connection *connection);

/*
 * Reads up to the next request, but waits only to complete one whose first bytes are there, for
 * header_timeout. Oversized requests and management records are answered on the way. A verdict, or -ENOMEM.
 */
typedef enum ConnectionVerdict {
        CONNECTION_IDLE = 1, /* the client has said nothing (more) so far */
        CONNECTION_REQUEST,  /* *ret is the connection's and is there until connection_done() */
        CONNECTION_ENDED,    /* closed by the client, too slow, or no FastCGI: close it */
} ConnectionVerdict;
int connection_next(Connection *connection, Request **ret);

/*
 * Ends the request for the client: finishes the answer if nobody did, then drops what the client still sends
 * of the body, for as long as there is some progress within header_timeout. Without FCGI_KEEP_CONN, or when
 * the answer could not be sent or the body did not end, the socket is closed. The request and its parameters
 * are still there.
 */
void connection_settle(Connection *connection);

/* The same if it was not done, and lets go of the request. */
void connection_done(Connection *connection);

/*
 * Answers the request at hand with status 504, if nothing of its answer has left yet, from a signal handler
 * and without waiting. The connection is of no use after that.
 */
void connection_give_up(const Connection *connection);

/*
 * True when bytes of the client are in our memory, or part of a record was taken: connection_next() must be
 * called before the worker waits for the socket or parks it.
 */
bool connection_pending(const Connection *connection);
