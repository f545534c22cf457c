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

/* How far an answer is on its way. */
typedef enum OutputState {
        OUTPUT_FRESH,   /* nothing of it was sent */
        OUTPUT_BEGUN,   /* some of it was */
        OUTPUT_BROKEN,  /* the client is gone, or there was no room for what was not to wait: nothing is
                           sent any more on this socket */
        OUTPUT_STALLED, /* the same, since the client took nothing in its time */
        _OUTPUT_STATE_MAX,
} OutputState;

typedef struct Output {
        int fd; /* a non-blocking stream socket, borrowed */
        usec_t stall_timeout; /* the owner's, as the hooks below: OUTPUT_STALL_TIMEOUT */
        void (*waiting)(void *userdata, bool begins); /* around each wait for the client */
        void (*progress)(void *userdata); /* the client, or its socket's buffer, took something */
        void *userdata;
        uint16_t request_id;
        OutputState state;
        FcgiType type; /* of the record that is being gathered; 0 where there is none */
        size_t record; /* where its header stands in the buffer */
        size_t used;   /* bytes of the buffer */
        uint8_t buffer[OUTPUT_BUFFER_SIZE];
} Output;

/* Starts afresh on another socket. */
void output_reset(Output *output, int fd);

/* Another answer begins: of the request of this id. */
void output_begin_answer(Output *output, uint16_t request_id);

/* Some of the answer was sent, or the client is gone. Safe in a signal handler. */
static inline bool output_begun(const Output *output)
{
        return output->state != OUTPUT_FRESH;
}

/* The client is gone because it took nothing, within its time. */
static inline bool output_stalled(const Output *output)
{
        return output->state == OUTPUT_STALLED;
}

/*
 * Appends so many bytes to a stream of the request, which the caller writes at once where this points; NULL
 * where the client is gone or so much does not fit the buffer.
 */
uint8_t *output_reserve(Output *output, FcgiType type, size_t size);

/* Appends to a stream of the request; an empty piece does nothing. 0, or -EPIPE once the client is gone. */
int output_write(Output *output, FcgiType type, const void *bytes, size_t size);

/* Appends a record that is whole already, of at most OUTPUT_WHOLE_MAX bytes. 0 or -EPIPE. */
#define OUTPUT_WHOLE_MAX 1024U
int output_record(Output *output, const void *record, size_t size, usec_t deadline);

/* Appends the end of the request (appStatus 0). There is always room: nothing is sent. */
void output_end(Output *output);

/*
 * Sends what was gathered, waiting for the client until the deadline (CLOCK_MONOTONIC; USEC_INFINITY for
 * none, 0 for no wait), as long as it takes something. 0, or -EPIPE when the client is gone or the deadline
 * has passed.
 */
int output_flush(Output *output, usec_t deadline);
