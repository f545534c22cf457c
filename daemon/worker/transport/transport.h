/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A transport is a way in which requests come and answers go: FastCGI's is fastcgi.h. It has one table of
 * operations, and is all that whoever serves requests knows of it; a connection is found by the protocol
 * that its listening socket speaks (ipc/protocol.h).
 *
 * A connection is an object that serves one socket after the other; nothing of the socket's state is left
 * behind between two of them. The socket is non-blocking. The worker waits for the client only for a body
 * that the script wants, and for room for the answer. Part of a request's head can be passed on, with the
 * socket, to another worker.
 */

#include "base/time.h"
#include "ipc/handoff.h"
#include "worker/request/request.h"

/*
 * What a connection tells its owner. Every hook must be set. No hook may call a function of the connection,
 * except released, which may park and close it.
 */
typedef struct ConnectionHooks {
        void (*reading)(void *userdata);                          /* bytes have come */
        void (*script_known)(void *userdata, const char *script); /* RequestOps.script_known */
        void (*finishing)(void *userdata); /* the script ended, or the client has all that it will get */
        void (*waiting)(void *userdata, bool begins); /* around each wait until the client takes something */
        void (*progress)(void *userdata); /* the client took some of the answer, or sent some of the body */
        void (*released)(void *userdata); /* ANSWER_RELEASED: the socket may be parked and closed */
        void (*closing)(void *userdata, int fd, bool late); /* late: its client was too slow */
} ConnectionHooks;

typedef struct Transport Transport;

/* The first member of each transport's own object. */
typedef struct Connection {
        const Transport *transport;
        const ConnectionHooks *hooks;
        void *userdata; /* of the hooks */
        int fd;         /* -EBADF without a socket */
} Connection;

typedef enum ConnectionVerdict {
        CONNECTION_IDLE = 1, /* the client has said nothing (more) so far */
        CONNECTION_PARTIAL,  /* it has sent part of a head, in its time, which may go on at once */
        CONNECTION_REQUEST,  /* *ret is the connection's and is there until done() */
        CONNECTION_ENDED,    /* closed by the client, too slow, or not this protocol: close it */
} ConnectionVerdict;

struct Transport {
        /*
         * A new object without a socket; header_timeout is for the head of a request, and for what is left
         * of a body that nobody reads, unless the client is fast. free() closes the socket. 0 or -ENOMEM.
         */
        int (*new)(usec_t header_timeout, const ConnectionHooks *hooks, void *userdata, Connection **ret);
        void (*free)(Connection *connection);

        /*
         * Takes over a connected, non-blocking socket, also where it fails, and what another worker has read
         * from it (origin->head); there must be none before. 0 or -errno.
         */
        int (*open)(Connection *connection, int fd, const Origin *origin);

        /*
         * What another worker has to know of the connection, with what was read and not served of it in a
         * memfd; origin_close() closes that. There must be no request at hand, but one that was released. 0
         * or -errno.
         */
        int (*save)(const Connection *connection, Origin *ret);

        /*
         * Takes what is in our memory and reads once, up to the next request; never waits for more. Where
         * the time of a head is over, it reads all that the client has sent, within bounds. Requests that
         * are not for the owner are answered on the way. There must be no request at hand. A
         * ConnectionVerdict, or -ENOMEM.
         */
        int (*next)(Connection *connection, Request **ret);

        /*
         * When the head of which part is here must be complete (CLOCK_MONOTONIC); USEC_INFINITY without one.
         */
        usec_t (*deadline)(const Connection *connection);

        /*
         * Ends the request for the client: finishes the answer if nobody did, then discards what the client
         * still sends of the body, for some time. Where the socket cannot be kept, it is closed. Once for
         * each request; it and its parameters are still there.
         */
        void (*settle)(Connection *connection);

        /* Lets go of the request, which was settled. */
        void (*done)(Connection *connection);

        /*
         * Answers the request at hand with status 504, if nothing of its answer has left yet, from a signal
         * handler and without waiting. The connection is of no use after that.
         */
        void (*give_up)(const Connection *connection);

        /*
         * True when bytes of the client are in our memory, or part of a message was taken: who waits for the
         * socket alone may wait in vain.
         */
        bool (*pending)(const Connection *connection);
};

/* Lets go of the socket, if there is one: also after it was parked. */
void connection_close(Connection *connection);

/* What a client was too slow with. */
typedef enum Lateness {
        LATE_WITH_HEAD,   /* it sent part of a head, and not the rest in its time */
        LATE_WITH_BODY,   /* the same of a body that nobody reads any more */
        LATE_WITH_TAKING, /* it took nothing of its answer */
        _LATENESS_MAX,
} Lateness;

/*
 * Closes the connection of a client that is too slow. All of them are closed here, but for one whose worker
 * ends with it, when the answer takes longer than request.terminate_timeout.
 */
void connection_close_late(Connection *connection, Lateness with);

/* ---- The operations, see above ---- */

int connection_new(const Transport *transport, usec_t header_timeout, const ConnectionHooks *hooks,
                   void *userdata, Connection **ret);

static inline void connection_free(Connection *c)
{
        if (c)
                c->transport->free(c);
}
DEFINE_CLEANUP(Connection *, connection_free)

static inline int connection_open(Connection *c, int fd, const Origin *origin)
{
        return c->transport->open(c, fd, origin);
}

/* The socket, or -EBADF where there is none. */
static inline int connection_fd(const Connection *c)
{
        return c->fd;
}

static inline int connection_save(const Connection *c, Origin *ret)
{
        return c->transport->save(c, ret);
}

static inline int connection_next(Connection *c, Request **ret)
{
        return c->transport->next(c, ret);
}

static inline usec_t connection_deadline(const Connection *c)
{
        return c->transport->deadline(c);
}

static inline void connection_settle(Connection *c)
{
        c->transport->settle(c);
}

static inline void connection_done(Connection *c)
{
        c->transport->done(c);
}

static inline void connection_give_up(const Connection *c)
{
        c->transport->give_up(c);
}

static inline bool connection_pending(const Connection *c)
{
        return c->transport->pending(c);
}
