/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request as the SAPI sees it: parameters, a body to read, a place for the answer. How it came (a FastCGI
 * record, something else later) is behind the operations.
 */

#include <sys/types.h>

#include "base/params.h"

typedef struct Request Request;

#define REQUEST_USER_MAX 64
#define REQUEST_HEADER_MAX 1024

typedef struct RequestOps {
        /*
         * Reads more of the body, blocking. Bytes read, 0 at its end, -errno when the client is gone or gave
         * up.
         */
        ssize_t (*read_body)(Request *request, void *buffer, size_t size);

        /*
         * Appends to the answer: CGI headers, an empty line, the body. Blocks while the client takes
         * nothing. 0, or -EPIPE once the client is gone.
         */
        int (*write)(Request *request, const void *bytes, size_t size);

        /* Appends to what the web server logs as an error of the application. 0 or -EPIPE. */
        int (*write_error)(Request *request, const void *bytes, size_t size);

        /* Sends what was appended so far. 0 or -EPIPE. */
        int (*flush)(Request *request);

        /* Ends the answer and lets the client go; later output is dropped. Idempotent. 0 or -EPIPE. */
        int (*finish)(Request *request);

        /* After finish(): the script goes on for long, and what else the client wants must not wait for it. */
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
        Params *params;   /* the SAPI may change them */
        bool unix_socket; /* it came over AF_UNIX */
        bool finished;    /* finish() was called */

        /* What the SAPI found out, for the scoreboard and the log. Pointers hold as params do. */
        const char *script;          /* the file to run, NULL for none */
        const char *name;            /* SCRIPT_NAME as corrected, NULL for none */
        char user[REQUEST_USER_MAX]; /* of Basic authentication, cut to fit; "" for none */

        RequestHeader *wanted; /* the owner's; the SAPI fills in values */
        size_t n_wanted;
};
