/* SPDX-License-Identifier: MIT */
#pragma once

/* One FastCGI request from the client's side. */

#include "base/params.h"
#include "base/time.h"
#include "fastcgi/protocol.h"

/* Where the answer goes; a negative return ends the exchange and is its result. */
typedef struct ExchangeSink {
        int (*on_output)(void *userdata, const char *bytes, size_t size);
        int (*on_error)(void *userdata, const char *bytes, size_t size); /* FCGI_STDERR */
        void *userdata;
} ExchangeSink;

/*
 * Connects to "/path", or to "HOST:PORT" or "[v6]:PORT" with up to timeout for each of the host's
 * addresses; timeout may be USEC_INFINITY. 0 and a descriptor, the caller's, CLOEXEC and not blocking;
 * -EINVAL where address is none of these, -EADDRNOTAVAIL for a name that cannot be resolved, -ETIMEDOUT,
 * or -errno.
 */
int exchange_connect(const char *address, usec_t timeout, int *ret_fd);

/*
 * Sends a request and its body while it passes on the answer as it comes, so that neither waits for the
 * other. body_fd is read to its end, or negative. FCGI_REQUEST_COMPLETE or another FcgiStatus, as the
 * application said; or -errno: -ECONNRESET where the answer ended too early, -EBADMSG where it is no
 * FastCGI, -ETIMEDOUT where it has not ended by the deadline (CLOCK_MONOTONIC, or USEC_INFINITY).
 */
int exchange_run(int fd, const Params *params, int body_fd, usec_t deadline, const ExchangeSink *sink);
