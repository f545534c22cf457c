/* SPDX-License-Identifier: MIT */
#pragma once

/* A FastCGI connection, for the files that are its transport (fastcgi.h). */

#include "worker/transport/input.h"
#include "worker/transport/output.h"
#include "worker/transport/transport.h"

/*
 * The most that is read, of what a script left of a body, before the client is told that the answer ended.
 */
#define FASTCGI_DISCARD_MAX (1024U * 1024U)

/*
 * What is discarded of a body after its answer has a time in all: request.header_timeout, and what the bytes
 * that came take at this rate (a second), but no more than this time for them. A web server that does not
 * gather bodies sends at the pace of its own client.
 */
#define FASTCGI_DISCARD_RATE (64U * 1024U)
#define FASTCGI_DISCARD_TIME_MAX (10 * 60 * USEC_PER_SEC)

/* How much of the body of the request at hand has come. */
typedef enum BodyState {
        BODY_AWAITED, /* nothing so far */
        BODY_BEGUN,
        BODY_ABORTED, /* the web server gave the request up */
        BODY_ENDED,   /* nothing of the request is still to come */
        _BODY_STATE_MAX,
} BodyState;

typedef struct FastcgiConnection {
        Connection connection; /* the first member: see fastcgi_of() */
        Request request;       /* see fastcgi_of_request() */
        Origin origin;
        usec_t header_timeout;
        usec_t deadline; /* CLOCK_MONOTONIC: when the head that has begun must be complete; 0 without one */

        bool close_next; /* the decoder wants the connection closed */
        bool keep;       /* of the request at hand: FCGI_KEEP_CONN */
        FcgiRole role;   /* likewise */
        BodyState body;  /* likewise: fastcgi_set_body() */

        const uint8_t *body_bytes; /* of the input's buffer: what the script has not read yet */
        size_t body_size;
        Input input;
        Output output;
} FastcgiConnection;

static inline FastcgiConnection *fastcgi_of(Connection *connection)
{
        return (FastcgiConnection *) connection;
}

static inline const FastcgiConnection *fastcgi_of_const(const Connection *connection)
{
        return (const FastcgiConnection *) connection;
}

static inline FastcgiConnection *fastcgi_of_request(Request *request)
{
        return (FastcgiConnection *) ((char *) request - offsetof(FastcgiConnection, request));
}

/* The one setter of body; nothing where it is so already. A new request starts from BODY_AWAITED. */
static inline void fastcgi_set_body(FastcgiConnection *c, BodyState state)
{
        static const uint8_t followers[_BODY_STATE_MAX] = {
                [BODY_AWAITED] = 1U << BODY_BEGUN | 1U << BODY_ABORTED | 1U << BODY_ENDED,
                [BODY_BEGUN] = 1U << BODY_ABORTED | 1U << BODY_ENDED,
                [BODY_ABORTED] = 1U << BODY_ENDED,
        };

        if (c->body == state)
                return;
        assert(followers[c->body] & 1U << state);
        c->body = state;
}

/* Puts the reply in *ret on its way, then does what fastcgi_decode() does. */
int fastcgi_reply(FastcgiConnection *c, usec_t deadline, FcgiItem *ret);

/*
 * The next event of what is here; replies are put on their way, and wait for room until the deadline
 * (CLOCK_MONOTONIC). An FcgiEvent but FCGI_REPLY, or -errno.
 */
static inline int fastcgi_decode(FastcgiConnection *c, usec_t deadline, FcgiItem *ret)
{
        int r = input_next(&c->input, ret);

        return r == FCGI_REPLY ? fastcgi_reply(c, deadline, ret) : r;
}

/* Reads some of a body, waiting for it. The bytes stand in c->body_bytes. 0 or -errno. */
int fastcgi_read_body(FastcgiConnection *c);

/*
 * Discards the rest of the request: what is in our memory, and up to the given size of what can be read.
 * Waits for it for as long as the given patience and fastcgi_discard_time() in all. 0, or -errno when no
 * more can come; -ETIMEDOUT when the time is over. 0 for the patience is not to wait.
 */
int fastcgi_discard(FastcgiConnection *c, size_t max_read, usec_t patience);

/* The time that so many bytes may have taken, see FASTCGI_DISCARD_RATE. Pure. */
usec_t fastcgi_discard_time(uint64_t n_bytes);

/*
 * The client has its answer; what it still sends of the request is discarded, while it has time for that. 0,
 * or -errno, as above: the connection is to end.
 */
int fastcgi_discard_rest(FastcgiConnection *c);

/* Sends what was answered behind the request's own answer. 0, or -errno where the connection is to end. */
int fastcgi_flush_replies(FastcgiConnection *c);

/*
 * Closes the connection since no more can come of it, or go to it: for this error of a function of this
 * file, or of the output's (-EPIPE). A client that is too slow is closed by connection_close_late().
 */
void fastcgi_close_failed(FastcgiConnection *c, int error);

/* The operations of a request. */
extern const RequestOps fastcgi_request_ops;
