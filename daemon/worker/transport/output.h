/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The way of an answer to the socket, as FastCGI records. Small pieces are gathered, so that an answer that
 * fits the buffer leaves in one call; what does not fit goes out with what was gathered, straight from the
 * caller's memory. Records keep the order in which their content came. The memory is constant: a slow client
 * stops the caller.
 */

#include "base/time.h"
#include "fastcgi/protocol.h"

/* What is gathered at most, with the records' headers. */
#define OUTPUT_BUFFER_SIZE (32U * 1024U)

/* The content of a record that goes out without a copy: the largest that needs no padding. */
#define OUTPUT_RECORD_MAX (FCGI_CONTENT_MAX & ~7)

/* The most such records of one call. */
#define OUTPUT_RECORDS_MAX 16

/*
 * A client that takes nothing for so long counts as gone: web servers wait no longer for theirs, by default.
 * Whether it takes something is looked at so often. What a Unix socket calls taken is a whole write, of some
 * ten kilobytes.
 */
#define OUTPUT_STALL_TIMEOUT (60 * USEC_PER_SEC)
#define OUTPUT_LOOK_INTERVAL USEC_PER_SEC

typedef struct Output {
        int fd; /* a non-blocking stream socket, borrowed */
        usec_t stall_timeout; /* the owner's, as the hooks below: OUTPUT_STALL_TIMEOUT */
        void (*waiting)(void *userdata, bool begins); /* around each wait for the client */
        void (*progress)(void *userdata); /* the client, or its socket's buffer, took something */
        void *userdata;
        uint16_t request_id;
        bool begun;      /* something was sent since the owner cleared this */
        bool broken;     /* an error was met: nothing is sent any more */
        bool open;       /* a record of the type below is being gathered */
        FcgiType type;
        size_t record;   /* where its header stands in the buffer */
        size_t used;     /* bytes of the buffer */
        uint8_t buffer[OUTPUT_BUFFER_SIZE];
} Output;

/* Starts afresh on another socket. */
void output_reset(Output *output, int fd);

/* Appends to a stream of the request; an empty piece does nothing. 0, or -EPIPE once the client is gone. */
int output_write(Output *output, FcgiType type, const void *bytes, size_t size);

/* Appends a record that is whole already, of at most OUTPUT_WHOLE_MAX bytes. 0 or -EPIPE. */
#define OUTPUT_WHOLE_MAX 1024U
int output_record(Output *output, const void *record, size_t size, usec_t deadline);

/* Appends the end of the request (appStatus 0). There is always room: nothing is sent. */
void output_end(Output *output);

/*
 * Sends what was gathered, waiting for the client until the deadline (CLOCK_MONOTONIC, USEC_INFINITY for
 * none), as long as it takes something. 0, or -EPIPE when the client is gone or the deadline has passed.
 */
int output_flush(Output *output, usec_t deadline);
