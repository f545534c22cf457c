/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The incoming half of the FastCGI codec: bytes of one connection in, what they mean out. It owns no
 * descriptor and never reads ahead; memory grows by bytes that arrived, never by a length that a client
 * claims. How the bytes are cut into calls changes nothing but the sizes of FCGI_BODY.
 *
 * One request is active at a time, from its BEGIN_REQUEST to fcgi_decoder_finish(). Records of any other
 * request, and records that have no meaning here (FCGI_DATA, unknown types), are skipped (3.3).
 */

#include "base/params.h"
#include "fastcgi/protocol.h"

typedef enum FcgiEvent {
        FCGI_NEED_MORE = 0, /* all input is used up */
        FCGI_REQUEST,       /* BEGIN_REQUEST and all of PARAMS are there: see item.request. An authorizer may
                             * be sent no STDIN at all (6.3): run it without waiting for FCGI_BODY_END */
        FCGI_BODY,          /* some bytes of STDIN, at least one: item.data, which points into the input */
        FCGI_BODY_END,      /* STDIN ended, also of a request that is FCGI_TOO_LARGE */
        FCGI_ABORT,         /* the web server gave the active request up, at any time after FCGI_REQUEST;
                             * what belongs to it is skipped; answer with an end of request (5.4) */
        FCGI_REPLY,         /* item.data must be sent: the answer to a management record, to a request of an
                             * unknown role, to a second request beside the active one, or to one that was
                             * aborted before FCGI_REQUEST; it points into the decoder and holds until the
                             * next call. item.data.close: close the connection once it is sent */
        FCGI_TOO_LARGE,     /* the parameters go beyond params.h's bounds; what belongs to this request is
                             * skipped, which may be much still to come, up to FCGI_BODY_END or FCGI_ABORT;
                             * answer with 431 and an end of request: see item.request, params is empty */
        FCGI_PAUSED,        /* after FCGI_BODY_END, FCGI_ABORT or FCGI_TOO_LARGE: the next request has begun.
                             * The rest of the input stays for the call after fcgi_decoder_finish(); calls
                             * before it say FCGI_PAUSED again and take nothing */
} FcgiEvent;

typedef struct FcgiItem {
        union {
                FcgiRequest request;
                struct {
                        const uint8_t *bytes;
                        size_t size;
                        bool close; /* only for FCGI_REPLY */
                } data;
        };
} FcgiItem;

typedef struct FcgiDecoder FcgiDecoder;

/* A decoder for one connection, between requests; the caller frees it. 0 or -ENOMEM. */
int fcgi_decoder_new(FcgiDecoder **ret);
void fcgi_decoder_free(FcgiDecoder *decoder);
DEFINE_CLEANUP(FcgiDecoder *, fcgi_decoder_free)

/* Makes the decoder ready for another connection, also after an error; keeps some of its buffers. */
void fcgi_decoder_reset(FcgiDecoder *decoder);

/*
 * Takes bytes up to the next event. *ret_used says how many were taken; the rest is for the next call, which
 * must be made (also with size 0) until it says FCGI_NEED_MORE or FCGI_PAUSED. Returns an event, -EBADMSG or
 * -ENOMEM. After an error the connection is to be closed: every call fails the same way until
 * fcgi_decoder_reset(). Malformed are:
 *  - a version other than 1, a BEGIN_REQUEST whose content is not 8 bytes (3.3, 5.1);
 *  - PARAMS that end within a name-value pair, a GET_VALUES with pairs that do not fill it, or with more
 *    than FCGI_GET_VALUES_MAX bytes (3.4, 4.1);
 *  - for the active request while its input lasts: BEGIN_REQUEST again, STDIN before the end of PARAMS,
 *    PARAMS after it.
 */
int fcgi_decoder_next(FcgiDecoder *decoder, const uint8_t *bytes, size_t size, size_t *ret_used,
                      FcgiItem *ret);

/*
 * The active request was answered, or is given up: records of it that are still to come are skipped, the
 * next may begin. Without an active request it does nothing.
 */
void fcgi_decoder_finish(FcgiDecoder *decoder);

/*
 * True from the first byte of a request to fcgi_decoder_finish(), and while part of any record was taken:
 * the connection may change hands, or be closed as idle, only when it is false and no input is left.
 */
bool fcgi_decoder_busy(const FcgiDecoder *decoder);

/* True while part of any record was taken, also one that has to wait (FCGI_PAUSED). */
bool fcgi_decoder_in_record(const FcgiDecoder *decoder);
