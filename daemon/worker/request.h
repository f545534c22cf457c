/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A request as the SAPI sees it: parameters, a body to read, a place for the answer. How it came (a FastCGI
 * record, something else later) is behind the operations.
 */

#include <sys/types.h>

#include "base/params.h"

typedef struct Request Request;

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

        /*
         * The script to run is known; strings hold until the request ends. For the scoreboard and the log.
         */
        void (*script_known)(Request *request, const char *script);

        /* The script ran to its end; shutdown functions and PHP's clean-up follow. */
        void (*script_ended)(Request *request);
} RequestOps;

struct Request {
        const RequestOps *ops;
        Params *params;   /* the SAPI may change them */
        bool unix_socket; /* it came over AF_UNIX */
        bool finished;    /* finish() was called */
};
