/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A FastCGI connection, and the request that it carries at the moment. A worker has one object, which serves
 * one socket after the other; nothing of the socket's state is left behind between two of them.
 *
 * The socket is non-blocking. The worker waits for the client only for a body that the script wants, and for
 * room for the answer. Part of a request's head can be passed on, with the socket, to another worker.
 */

#include "base/time.h"
#include "ipc/handoff.h"
#include "worker/request/request.h"

/*
 * The most that is read, of what a script left of a body, before the client is told that the answer ended.
 */
#define CONNECTION_DRAIN_MAX (1024U * 1024U)

/* What must come behind that, of a body that goes on, within each header_timeout. */
#define CONNECTION_DRAIN_PROGRESS 4096U

/* What the connection tells its owner. All must be set; none may call the connection, but released. */
typedef struct ConnectionHooks {
        void (*reading)(void *userdata);                          /* bytes have come */
        void (*script_known)(void *userdata, const char *script); /* RequestOps.script_known */
        void (*finishing)(void *userdata); /* the script ended, or the client has all that it will get */
        void (*waiting)(void *userdata, bool begins); /* around each wait for the client to take the answer */
        void (*progress)(void *userdata);  /* the client took some of the answer, or sent some of the body */
        void (*released)(void *userdata);  /* RequestOps.release, and nothing of the request is still to come:
                                            * the socket may be parked and closed */
        void (*closing)(void *userdata, int fd);                  /* last chance to forget the descriptor */
} ConnectionHooks;

typedef struct Connection Connection;

/* A new object without a socket; the caller frees it, which closes the socket. 0 or -ENOMEM. */
int connection_new(usec_t header_timeout, const ConnectionHooks *hooks, void *userdata, Connection **ret);
void connection_free(Connection *connection);
DEFINE_CLEANUP(Connection *, connection_free)

/*
 * Takes over a connected, non-blocking socket, also where it fails, and what another worker has read from it
 * (origin->head); there must be none before. 0 or -errno.
 */
int connection_open(Connection *connection, int fd, const Origin *origin);

/* Lets go of the socket, if there is one: also after it was parked. */
void connection_close(Connection *connection);

/* The socket, or -EBADF where there is none. */
int connection_fd(const Connection *connection);

/*
 * What another worker has to know of the connection, with what was read and not served of it in a memfd;
 * origin_close() closes that. There must be no request at hand, unless it was released. 0 or -errno.
 */
int connection_save(const Connection *connection, Origin *ret);

/*
 * Takes what is in our memory and reads once, up to the next request; never waits for more. Oversized
 * requests and management records are answered on the way. A verdict, or -ENOMEM.
 */
typedef enum ConnectionVerdict {
        CONNECTION_IDLE = 1, /* the client has said nothing (more) so far */
        CONNECTION_PARTIAL,  /* it has sent part of a head, within header_timeout, which may go on at once */
        CONNECTION_REQUEST,  /* *ret is the connection's and is there until connection_done() */
        CONNECTION_ENDED,    /* closed by the client, too slow, or no FastCGI: close it */
} ConnectionVerdict;
int connection_next(Connection *connection, Request **ret);

/* When the head of which part is here must be complete (CLOCK_MONOTONIC); USEC_INFINITY without one. */
usec_t connection_deadline(const Connection *connection);

/*
 * Ends the request for the client: finishes the answer if nobody did, then drops what the client still sends
 * of the body, for as long as CONNECTION_DRAIN_PROGRESS of it come within header_timeout. Without
 * FCGI_KEEP_CONN, or when the answer could not be sent or the body did not end, the socket is closed. The
 * request and its parameters are still there.
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
 * True when bytes of the client are in our memory, or part of a record was taken: who waits for the socket
 * alone may wait in vain.
 */
bool connection_pending(const Connection *connection);
