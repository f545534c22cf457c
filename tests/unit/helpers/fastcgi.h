/* SPDX-License-Identifier: MIT */
#pragma once

/* A FastCGI client for tests: requests are built as bytes, answers are compared as bytes. */

#include "fastcgi/encoder.h"

typedef struct Bytes {
        uint8_t *data;
        size_t size;
} Bytes;

/* Frees the bytes; it is empty then, and can be added to again. */
void bytes_clear(Bytes *b);

/* Appends a copy. All zero is empty. */
void bytes_add(Bytes *b, const void *data, size_t size);

/* One record, with padding. */
void add_record(Bytes *b, FcgiType type, uint16_t id, const void *content, size_t size);

/* The END_REQUEST of an answer that is complete, with status 0. */
void add_end(Bytes *b, uint16_t id);

/* BEGIN_REQUEST; keep is FCGI_KEEP_CONN. */
void add_begin(Bytes *b, uint16_t id, FcgiRole role, bool keep);

/* BEGIN_REQUEST and PARAMS with these parameters. */
void add_head_of(Bytes *b, uint16_t id, FcgiRole role, bool keep, const Params *params);

/* The same with a few. */
void add_head(Bytes *b, uint16_t id, FcgiRole role, bool keep);

/* A whole request; the body in records of the given size, 0 for one. */
void add_request(Bytes *b, uint16_t id, bool keep, const void *body, size_t size, size_t record);

/* Sends all of them, blocking; a failure fails the test. */
void send_bytes(int fd, const Bytes *b);

/* Reads just so many bytes. */
void receive_bytes(int fd, Bytes *ret, size_t size);

/* What comes next is these bytes, exactly. */
void expect_bytes(int fd, const Bytes *expected);
