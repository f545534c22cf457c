/* SPDX-License-Identifier: MIT */
#pragma once

/* The outgoing half of the FastCGI codec: pure functions that write into the caller's buffer. */

#include "base/params.h"
#include "fastcgi/protocol.h"

/* The padding that makes a content of this size end at a multiple of 8 (3.3 recommends it). */
static inline uint8_t fcgi_padding(size_t content_size)
{
        return (uint8_t) (-content_size & 7);
}

/* Writes a record header of FCGI_HEADER_SIZE bytes (3.3). content_size is at most FCGI_CONTENT_MAX. */
void fcgi_encode_header(uint8_t *p, FcgiType type, uint16_t request_id, size_t content_size,
                        uint8_t padding);

/* Writes an END_REQUEST record (5.5) of FCGI_END_REQUEST_SIZE bytes. */
#define FCGI_END_REQUEST_SIZE (FCGI_HEADER_SIZE + 8)
void fcgi_encode_end_request(uint8_t *p, uint16_t request_id, uint32_t app_status, FcgiStatus status);

/* Writes an UNKNOWN_TYPE record (4.2) of FCGI_UNKNOWN_TYPE_SIZE bytes: the answer to a management record. */
#define FCGI_UNKNOWN_TYPE_SIZE (FCGI_HEADER_SIZE + 8)
void fcgi_encode_unknown_type(uint8_t *p, uint8_t type);

/* A whole answer. The bytes stay the caller's; a pointer may be NULL where its size is 0. */
typedef struct FcgiAnswer {
        uint16_t request_id;
        const void *head; /* CGI's: its headers and the empty line behind them (6.2) */
        size_t head_size;
        const void *body;
        size_t body_size;
        const void *error; /* what goes to the web server's log */
        size_t error_size;
} FcgiAnswer;

/* The content of a full record of a stream: a multiple of 8, so that only the last one is padded. */
#define FCGI_STREAM_CONTENT_MAX (FCGI_CONTENT_MAX & ~7)

/* The bytes that a stream of this size takes, and an answer with so much in its two streams: constants. */
#define FCGI_STREAM_SIZE(size)                                                                              \
        ((size) + ((size) + FCGI_STREAM_CONTENT_MAX - 1) / FCGI_STREAM_CONTENT_MAX * FCGI_HEADER_SIZE +     \
         (-(size_t) (size) & 7))
#define FCGI_ANSWER_SIZE(head_and_body, error)                                                              \
        (FCGI_STREAM_SIZE(head_and_body) + FCGI_STREAM_SIZE(error) + FCGI_END_REQUEST_SIZE)

/* How many bytes this answer takes. */
size_t fcgi_answer_size(const FcgiAnswer *answer);

/*
 * Writes an answer of fcgi_answer_size() bytes: head and body as one stream of STDOUT, the error as STDERR,
 * and END_REQUEST, which also ends both streams: no empty records come before it, as none come from PHP-FPM.
 * An empty stream has no record. Returns where the answer ends. Safe in a signal handler.
 */
uint8_t *fcgi_encode_answer(uint8_t *p, const FcgiAnswer *answer);

/* The client's side, for php-poolctl, tests, and a request that another process goes on with: */

/* Writes a BEGIN_REQUEST record (5.1) of FCGI_BEGIN_REQUEST_SIZE bytes. */
#define FCGI_BEGIN_REQUEST_SIZE (FCGI_HEADER_SIZE + 8)
void fcgi_encode_begin_request(uint8_t *p, uint16_t request_id, FcgiRole role, bool keep_connection);

/*
 * Encodes all that comes before the body into a new buffer, which the caller frees: BEGIN_REQUEST, all
 * parameters (3.4, 5.2), and the empty record that ends them. Records end at multiples of 8, and at ends of
 * pairs unless one pair is too large for a record: PHP-FPM takes no others. 0 or -ENOMEM.
 */
int fcgi_encode_request_head(uint16_t request_id, FcgiRole role, bool keep_connection, const Params *params,
                             uint8_t **ret_bytes, size_t *ret_size);

/* Reads a record header of FCGI_HEADER_SIZE bytes (3.3); nothing in it is checked. */
typedef struct FcgiHeader {
        uint8_t version;
        uint8_t type;
        uint16_t request_id;
        uint16_t content_size;
        uint8_t padding_size;
} FcgiHeader;
FcgiHeader fcgi_decode_header(const uint8_t *p);
