/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What comes from a client: a read buffer and the FastCGI decoder behind it. It never waits, and reads only
 * when the decoder has taken everything.
 */

#include <sys/types.h>

#include "fastcgi/decoder.h"

/* What one read takes in: a request without a large body comes whole. */
#define INPUT_BUFFER_SIZE (32U * 1024U)

typedef struct Input {
        int fd; /* a stream socket, borrowed */
        FcgiDecoder *decoder;
        uint8_t *bytes;    /* that start and end are of: the buffer, or a replay's */
        size_t start, end; /* what the decoder has not taken */
        uint8_t buffer[INPUT_BUFFER_SIZE];
} Input;

/* Makes the decoder; the buffer is not touched. input_done() frees what it holds. 0 or -ENOMEM. */
int input_init(Input *input);
void input_done(Input *input);

/* Starts afresh on another socket. */
void input_reset(Input *input, int fd);

/* What was read elsewhere comes first; allocated, and the input's. There must be no other. */
void input_replay(Input *input, uint8_t *bytes, size_t size);

/* The decoder's place and what it has not taken, for input_replay(): see fcgi_decoder_save(). */
int input_save(const Input *input, uint8_t **ret, size_t *ret_size);

/*
 * Reads once; everything must have been taken. The number of bytes, 0 where there is nothing at the moment,
 * -ECONNRESET at the end of file, or -errno.
 */
ssize_t input_read(Input *input);

/* The next event of the bytes that are here: see fcgi_decoder_next(). */
int input_next(Input *input, FcgiItem *ret);

/* True when bytes were read that do not belong to the active request, which has come whole. */
bool input_ahead(const Input *input);

/* True when bytes were read but not taken, or part of a record or request was. */
bool input_pending(const Input *input);
