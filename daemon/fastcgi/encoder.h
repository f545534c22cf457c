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

/* The client's side, for php-poolctl and tests: */

/* Writes a BEGIN_REQUEST record (5.1) of FCGI_BEGIN_REQUEST_SIZE bytes. */
#define FCGI_BEGIN_REQUEST_SIZE (FCGI_HEADER_SIZE + 8)
void fcgi_encode_begin_request(uint8_t *p, uint16_t request_id, FcgiRole role, bool keep_connection);

/*
 * Encodes all parameters and the empty record that ends them into a new buffer, which the caller frees
 * (3.4, 5.2). Records end at multiples of 8, and at ends of pairs unless one pair is too large for a record:
 * PHP-FPM takes no others. 0 or -ENOMEM.
 */
int fcgi_encode_params(uint16_t request_id, const Params *params, uint8_t **ret_bytes, size_t *ret_size);

/* Reads a record header of FCGI_HEADER_SIZE bytes (3.3); nothing in it is checked. */
typedef struct FcgiHeader {
        uint8_t version;
        uint8_t type;
        uint16_t request_id;
        uint16_t content_size;
        uint8_t padding_size;
} FcgiHeader;
FcgiHeader fcgi_decode_header(const uint8_t *p);
