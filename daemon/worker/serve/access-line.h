/* SPDX-License-Identifier: MIT */
#pragma once

/* A line of the access log, from what is known of a request. Pure but for the time zone. */

#include <sys/types.h>

#include "base/time.h"
#include "config/access.h"
#include "worker/request/request.h"

/* The most bytes of a line, with the zero of the string. */
#define ACCESS_LINE_MAX 16385

typedef struct AccessEntry {
        const char *pool;
        pid_t pid, parent;
        const Request *request; /* with its parameters and the headers that were wanted */
        const char *peer;       /* the web server's address; NULL or "" over a Unix socket */
        int status;
        uint64_t memory; /* bytes */
        usec_t started;  /* CLOCK_REALTIME; it ended a duration later */
        usec_t duration;
        usec_t cpu_user, cpu_system;
} AccessEntry;

/*
 * Puts the line together, without a newline, and cuts it where it does not fit. Bytes of the request that
 * could forge a field or a line, quotes, backslashes and what is not printable or no UTF-8, stand as \xXX.
 * Its length.
 */
size_t access_line(const AccessFormat *format, const AccessEntry *entry, char line[static ACCESS_LINE_MAX]);

/*
 * Whether the request is one of those that access.suppress_path keeps out of the log, by PHP-FPM's rule: GET
 * or HEAD, successful, without query and body, its name in the list.
 */
bool access_suppressed(char *const *paths, const Request *request, int status);
