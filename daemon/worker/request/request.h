/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request as the SAPI sees it: parameters, a body to read, a place for the answer. How it came (FastCGI's
 * records, something else later) is behind the operations, which request_read_body() and the others here
 * call.
 */

#include <sys/types.h>

#include "base/params.h"

typedef struct Request Request;

#define REQUEST_USER_MAX 64
#define REQUEST_HEADER_MAX 1024

/* How CGI says the status of an answer (RFC 3875, 6.3.3). Other protocols say it in their own way. */
typedef enum HeadStatus {
        HEAD_STATUS_UNSAID, /* it does not: that is 200 */
        HEAD_STATUS_FIELD,  /* "Status:" and the text */
        HEAD_STATUS_LINE,   /* the text, as a line in front of all others */
        HEAD_STATUS_AMONG,  /* a field that stands among the others: "Status: 404 Not Found" */
} HeadStatus;

/* A line of a head: "Name: value", without its end. */
typedef struct HeadField {
        const char *bytes;
        size_t size;
} HeadField;

/* What comes in front of the body of an answer. All of it is borrowed. */
typedef struct Head {
        int status; /* 404: the one that the client is to see */
        HeadStatus said;
        const char *text;        /* " 404 Not Found"; "HTTP/1.1 404 Not Found" for a line; NULL for none */
        const HeadField *fields; /* none is empty */
        size_t n_fields;
} Head;

/*
 * How far the answer is. It goes down this list; a request that was given to nobody may be gone at once.
 *
 *   ANSWER_OPEN      it is being made
 *   ANSWER_ENDED     the client has it, or will get no more of it; later output is dropped
 *   ANSWER_RELEASED  nothing of the request is still to come either: its socket serves others
 *   ANSWER_SETTLED   the request is over for its client; its parameters are still there
 *   ANSWER_GONE      there is no request at hand
 */
typedef enum AnswerState {
        ANSWER_OPEN,
        ANSWER_ENDED,
        ANSWER_RELEASED,
        ANSWER_SETTLED,
        ANSWER_GONE,
        _ANSWER_STATE_MAX,
} AnswerState;

/* What a way of bringing requests does for one. An operation may be NULL: it does nothing, and gives 0. */
typedef struct RequestOps {
        /*
         * Reads more of the body, blocking. Bytes read, 0 at its end, -errno when the client is gone or gave
         * up.
         */
        ssize_t (*read_body)(Request *request, void *buffer, size_t size);

        /*
         * Appends the head to the answer, before anything of the body. 0, or -EPIPE once the client is gone.
         */
        int (*write_head)(Request *request, const Head *head);

        /* Appends to the body of the answer. Blocks while the client takes nothing. 0 or -EPIPE. */
        int (*write)(Request *request, const void *bytes, size_t size);

        /* Appends to what the web server logs as an error of the application. 0 or -EPIPE. */
        int (*write_error)(Request *request, const void *bytes, size_t size);

        /* Sends what was appended so far. 0 or -EPIPE. */
        int (*flush)(Request *request);

        /* Ends the answer and lets the client go. Called once, in ANSWER_ENDED. 0 or -EPIPE. */
        int (*finish)(Request *request);

        /*
         * After finish(): the script goes on for long, and what else the client wants must not wait for it.
         */
        void (*release)(Request *request);

        /*
         * The script to run is known; strings hold until the request ends. For the scoreboard and the log.
         */
        void (*script_known)(Request *request, const char *script);

        /* The script ran to its end; shutdown functions and PHP's clean-up follow. */
        void (*script_ended)(Request *request);
} RequestOps;

/* A header of the answer that is wanted for the log. */
typedef struct RequestHeader {
        const char *name;               /* compared in any case */
        char value[REQUEST_HEADER_MAX]; /* of the first of this name that was sent; "" for none; cut */
} RequestHeader;

struct Request {
        const RequestOps *ops;
        Params *params;     /* the SAPI may change them */
        bool unix_socket;   /* it came over AF_UNIX */
        AnswerState answer; /* request_set_answer() */

        /* What the SAPI found out, for the scoreboard and the log. Pointers hold as params do. */
        const char *script;          /* the file to run, NULL for none */
        const char *name;            /* SCRIPT_NAME as corrected, NULL for none */
        char user[REQUEST_USER_MAX]; /* of Basic authentication, cut to fit; "" for none */

        RequestHeader *wanted; /* the owner's; the SAPI fills in values */
        size_t n_wanted;
};

/* The one setter of Request.answer. */
static inline void request_set_answer(Request *r, AnswerState state)
{
        static const uint8_t followers[_ANSWER_STATE_MAX] = {
                [ANSWER_OPEN] = 1U << ANSWER_ENDED | 1U << ANSWER_GONE,
                [ANSWER_ENDED] = 1U << ANSWER_RELEASED | 1U << ANSWER_SETTLED,
                [ANSWER_RELEASED] = 1U << ANSWER_SETTLED,
                [ANSWER_SETTLED] = 1U << ANSWER_GONE,
        };

        assert(followers[r->answer] & 1U << state);
        r->answer = state;
}

/* Whether the answer has ended: nobody waits for more of it. */
static inline bool request_answered(const Request *r)
{
        return r->answer != ANSWER_OPEN;
}

static inline ssize_t request_read_body(Request *r, void *buffer, size_t size)
{
        return r->ops->read_body ? r->ops->read_body(r, buffer, size) : 0;
}

/* What is written behind the end of the answer is dropped. */
static inline int request_write_head(Request *r, const Head *head)
{
        return r->ops->write_head && !request_answered(r) ? r->ops->write_head(r, head) : 0;
}

static inline int request_write(Request *r, const void *bytes, size_t size)
{
        return r->ops->write && !request_answered(r) ? r->ops->write(r, bytes, size) : 0;
}

static inline int request_write_error(Request *r, const void *bytes, size_t size)
{
        return r->ops->write_error && !request_answered(r) ? r->ops->write_error(r, bytes, size) : 0;
}

static inline int request_flush(Request *r)
{
        return r->ops->flush && !request_answered(r) ? r->ops->flush(r) : 0;
}

/* Ends the answer, unless that was done. */
static inline int request_finish(Request *r)
{
        if (request_answered(r))
                return 0;
        request_set_answer(r, ANSWER_ENDED);
        return r->ops->finish ? r->ops->finish(r) : 0;
}

/* Only where the answer has ended is there anything to let go of. */
static inline void request_release(Request *r)
{
        if (r->ops->release && r->answer == ANSWER_ENDED)
                r->ops->release(r);
}

static inline void request_script_known(Request *r, const char *script)
{
        if (r->ops->script_known)
                r->ops->script_known(r, script);
}

static inline void request_script_ended(Request *r)
{
        if (r->ops->script_ended)
                r->ops->script_ended(r);
}
