/* SPDX-License-Identifier: MIT */

/*
 * Where a decoder is, as bytes: see decoder-save.h. Pure. What is written is FastCGI, so that the decoder
 * has no second way in: what another process reads goes the way of all input.
 */

#include "fastcgi/decoder-save.h"

#include "fastcgi/decoder-state.h"
#include "fastcgi/encoder.h"

static uint8_t *put_bytes(uint8_t *p, const void *bytes, size_t size)
{
        if (size > 0)
                memcpy(p, bytes, size);
        return p + size;
}

static uint8_t *put_header(uint8_t *p, FcgiType type, uint16_t id, size_t content, size_t padding)
{
        fcgi_encode_header(p, type, id, content, (uint8_t) padding);
        return p + FCGI_HEADER_SIZE;
}

/* The start of a pair that is not complete. */
static uint8_t *put_cut_pair(uint8_t *p, const FcgiDecoder *d)
{
        for (size_t i = 0; i < d->cut_pair.used;) {
                size_t n = MIN(d->cut_pair.used - i, (size_t) FCGI_CONTENT_MAX);

                p = put_header(p, FCGI_PARAMS, d->request.id, n, 0);
                p = put_bytes(p, d->cut_pair.bytes + i, n);
                i += n;
        }
        return p;
}

/*
 * What was taken of a record that is not complete. One that is skipped stands for itself no more: it may
 * have been answered, and is one that nobody answers.
 */
static uint8_t *put_record(uint8_t *p, const FcgiDecoder *d)
{
        if (d->header_used > 0)
                return put_bytes(p, d->header_bytes, d->header_used);
        if (d->content_left == 0 && d->padding_left == 0)
                return p;
        if (d->sink == SINK_SKIP || d->content_left == 0)
                return put_header(p, FCGI_DATA, 1, d->content_left, d->padding_left);
        if (d->sink == SINK_PARAMS)
                return put_header(p, FCGI_PARAMS, d->request.id, d->content_left, d->padding_left);

        p = put_header(p, d->header.type, d->header.request_id, d->whole_used + d->content_left,
                       d->padding_left);
        return put_bytes(p, d->whole, d->whole_used);
}

int fcgi_decoder_save(const FcgiDecoder *d, const uint8_t *unread, size_t unread_size, uint8_t **ret,
                      size_t *ret_size)
{
        bool has_head = d->state == REQUEST_PARAMS;
        size_t head_size = 0, cut = d->cut_pair.used;
        _cleanup_(freep) uint8_t *head = NULL;
        uint8_t *bytes, *p;
        int r;

        assert(d->error == 0 && (has_head || d->state == REQUEST_NONE));

        if (has_head) {
                r = fcgi_encode_request_head(d->request.id, d->request.role, d->request.keep_connection,
                                             d->request.params, &head, &head_size);
                if (r < 0)
                        return r;
                head_size -= FCGI_HEADER_SIZE; /* the end, which is still to come */
        }

        bytes = malloc(head_size + cut + (cut / FCGI_CONTENT_MAX + 2) * FCGI_HEADER_SIZE + sizeof d->whole +
                       unread_size);
        if (!bytes)
                return -ENOMEM;
        p = put_bytes(bytes, head, head_size);
        if (has_head)
                p = put_cut_pair(p, d);
        p = put_record(p, d);
        p = put_bytes(p, unread, unread_size);

        *ret = bytes;
        *ret_size = (size_t) (p - bytes);
        return 0;
}
