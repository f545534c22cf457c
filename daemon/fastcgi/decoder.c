/* SPDX-License-Identifier: MIT */

/*
 * The incoming half of the FastCGI codec: see decoder.h. Pure: no descriptor, no clock, no log. The worker
 * owns one for its connection.
 *
 * Two things are kept apart (decoder-state.h): where in a record the input stands (the bytes of a header,
 * then content_left, then padding_left), and how far the active request is (RequestState). When a header
 * is complete, record_start() decides what its content is for (Sink), and record_content() feeds it there
 * in whatever pieces it comes. Each of them gives one event at most, so none ever has to wait in a queue.
 */

#include "fastcgi/decoder.h"

#include "fastcgi/decoder-state.h"
#include "fastcgi/encoder.h"

/* 5.1: the content of a BEGIN_REQUEST. */
#define BEGIN_REQUEST_CONTENT_SIZE 8

int fcgi_decoder_new(FcgiDecoder **ret)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *d = NULL;
        int r;

        d = calloc(1, sizeof *d);
        if (!d)
                return -ENOMEM;
        r = params_new(&d->request.params);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(d);
        return 0;
}

void fcgi_decoder_free(FcgiDecoder *d)
{
        if (!d)
                return;

        params_free(d->request.params);
        fcgi_cut_pair_done(&d->cut_pair);
        free(d);
}

/* Forgets the parameters so far. */
static void forget_params(FcgiDecoder *d)
{
        params_clear(d->request.params);
        fcgi_cut_pair_clear(&d->cut_pair);
}

void fcgi_decoder_finish(FcgiDecoder *d)
{
        if (d->state == REQUEST_NONE)
                return;

        forget_params(d);
        d->state = REQUEST_NONE;
        if (d->sink == SINK_PARAMS || d->sink == SINK_BODY)
                d->sink = SINK_SKIP;
}

void fcgi_decoder_reset(FcgiDecoder *d)
{
        fcgi_decoder_finish(d);
        d->error = 0;
        d->header_used = d->content_left = d->padding_left = 0;
}

bool fcgi_decoder_in_record(const FcgiDecoder *d)
{
        return d->header_used > 0 || d->content_left > 0 || d->padding_left > 0;
}

bool fcgi_decoder_busy(const FcgiDecoder *d)
{
        return d->state != REQUEST_NONE || fcgi_decoder_in_record(d);
}

static int give_request(FcgiDecoder *d, FcgiEvent event, FcgiItem *ret)
{
        *ret = (FcgiItem) { .request = d->request };
        return event;
}

static int give_reply(FcgiDecoder *d, size_t size, bool close, FcgiItem *ret)
{
        *ret = (FcgiItem) { .data = { .bytes = d->reply, .size = size, .close = close } };
        return FCGI_REPLY;
}

static int give_end_request(FcgiDecoder *d, FcgiStatus status, bool close, FcgiItem *ret)
{
        fcgi_encode_end_request(d->reply, d->header.request_id, 0, status);
        return give_reply(d, FCGI_END_REQUEST_SIZE, close, ret);
}

static int on_params(FcgiDecoder *d, const uint8_t *bytes, size_t size, FcgiItem *ret)
{
        int r;

        r = fcgi_pairs_take(&d->cut_pair, d->request.params, bytes, size);
        if (r != -E2BIG)
                return r;

        forget_params(d);
        d->state = REQUEST_TOO_LARGE;
        d->sink = SINK_SKIP;
        return give_request(d, FCGI_TOO_LARGE, ret);
}

/* 5.1 */
static int on_begin(FcgiDecoder *d, FcgiItem *ret)
{
        unsigned role = (unsigned) d->whole[0] << 8 | d->whole[1];
        bool keep = d->whole[2] & FCGI_FLAG_KEEP_CONN;

        if (d->state != REQUEST_NONE)
                return give_end_request(d, FCGI_CANT_MPX_CONN, false, ret);
        if (role < FCGI_RESPONDER || role > FCGI_FILTER)
                return give_end_request(d, FCGI_UNKNOWN_ROLE, !keep, ret);

        d->request.id = d->header.request_id;
        d->request.role = (FcgiRole) role;
        d->request.keep_connection = keep;
        d->state = REQUEST_PARAMS;
        return 0;
}

static bool pair_is_named(const FcgiPair *pair, const char *name)
{
        return pair->name_size == strlen(name) && memcmp(pair->name, name, pair->name_size) == 0;
}

/* Finds out whether FCGI_MPXS_CONNS is asked for; values that are sent along mean nothing. */
static int read_get_values(const uint8_t *bytes, size_t size, bool *ret_mpxs_conns)
{
        bool mpxs_conns = false;
        FcgiPair pair;

        for (size_t used = 0; used < size; used += pair.size) {
                if (!fcgi_pair_read(bytes + used, size - used, &pair) || pair.size > size - used)
                        return -EBADMSG;
                mpxs_conns = mpxs_conns || pair_is_named(&pair, MPXS_CONNS_NAME);
        }
        *ret_mpxs_conns = mpxs_conns;
        return 0;
}

/* 4.1: a name stands in the answer once, however often it was asked for; unknown ones are left out. */
static int on_get_values(FcgiDecoder *d, FcgiItem *ret)
{
        uint8_t *p = d->reply + FCGI_HEADER_SIZE, padding;
        size_t size = 0;
        bool mpxs_conns;
        int r;

        r = read_get_values(d->whole, d->whole_used, &mpxs_conns);
        if (r < 0)
                return r;

        memset(d->reply, 0, sizeof d->reply);
        if (mpxs_conns) {
                *p++ = sizeof MPXS_CONNS_NAME - 1;
                *p++ = sizeof MPXS_CONNS_VALUE - 1;
                memcpy(p, MPXS_CONNS_NAME MPXS_CONNS_VALUE, MPXS_CONNS_PAIR_SIZE - 2);
                size = MPXS_CONNS_PAIR_SIZE;
        }
        padding = fcgi_padding(size);
        fcgi_encode_header(d->reply, FCGI_GET_VALUES_RESULT, FCGI_NULL_REQUEST_ID, size, padding);
        return give_reply(d, FCGI_HEADER_SIZE + size + padding, false, ret);
}

/* Collects content that is looked at in one piece. Its size was checked by record_start(). */
static int on_whole(FcgiDecoder *d, const uint8_t *bytes, size_t size, FcgiItem *ret)
{
        memcpy(d->whole + d->whole_used, bytes, size);
        d->whole_used += size;
        if (d->content_left > 0)
                return 0;

        return d->sink == SINK_BEGIN ? on_begin(d, ret) : on_get_values(d, ret);
}

static int start_begin(FcgiDecoder *d)
{
        bool lasts = d->state == REQUEST_PARAMS || d->state == REQUEST_BODY;

        if (d->header.content_size != BEGIN_REQUEST_CONTENT_SIZE)
                return -EBADMSG;
        if (lasts && d->header.request_id == d->request.id)
                return -EBADMSG;

        d->sink = SINK_BEGIN;
        return 0;
}

static int start_get_values(FcgiDecoder *d, FcgiItem *ret)
{
        if (d->header.content_size > FCGI_GET_VALUES_MAX)
                return -EBADMSG;
        if (d->header.content_size == 0)
                return on_get_values(d, ret);

        d->sink = SINK_GET_VALUES;
        return 0;
}

/* 5.2: a stream, which an empty record ends. */
static int start_params(FcgiDecoder *d, FcgiItem *ret)
{
        if (d->state == REQUEST_BODY)
                return -EBADMSG;
        if (d->state != REQUEST_PARAMS)
                return 0;
        if (d->header.content_size > 0) {
                d->sink = SINK_PARAMS;
                return 0;
        }
        if (d->cut_pair.used > 0)
                return -EBADMSG;

        d->state = REQUEST_BODY;
        return give_request(d, FCGI_REQUEST, ret);
}

/* 5.3: likewise. */
static int start_stdin(FcgiDecoder *d)
{
        if (d->state == REQUEST_PARAMS)
                return -EBADMSG;
        if (d->state != REQUEST_BODY && d->state != REQUEST_TOO_LARGE)
                return 0;
        if (d->header.content_size > 0) {
                d->sink = d->state == REQUEST_BODY ? SINK_BODY : SINK_SKIP;
                return 0;
        }

        d->state = d->state == REQUEST_BODY ? REQUEST_WHOLE : REQUEST_DROPPED;
        return FCGI_BODY_END;
}

/* 5.4: a request that nobody has seen yet is ended here. */
static int start_abort(FcgiDecoder *d, FcgiItem *ret)
{
        switch (d->state) {
        case REQUEST_PARAMS:
                fcgi_decoder_finish(d);
                return give_end_request(d, FCGI_REQUEST_COMPLETE, !d->request.keep_connection, ret);
        case REQUEST_BODY:
        case REQUEST_WHOLE:
        case REQUEST_TOO_LARGE:
                d->state = REQUEST_DROPPED;
                return FCGI_ABORT;
        default:
                return 0;
        }
}

/* Acts on a complete header and chooses the sink. An event, -errno, or 0 to go on. */
static int record_start(FcgiDecoder *d, FcgiItem *ret)
{
        d->sink = SINK_SKIP;
        d->whole_used = 0;

        /* PHP-FPM answers this one whatever its request id says. */
        if (d->header.type == FCGI_GET_VALUES)
                return start_get_values(d, ret);
        if (d->header.request_id == FCGI_NULL_REQUEST_ID) {
                fcgi_encode_unknown_type(d->reply, d->header.type);
                return give_reply(d, FCGI_UNKNOWN_TYPE_SIZE, false, ret);
        }
        if (d->header.type == FCGI_BEGIN_REQUEST)
                return start_begin(d);
        if (d->state == REQUEST_NONE || d->header.request_id != d->request.id)
                return 0;

        switch (d->header.type) {
        case FCGI_PARAMS:
                return start_params(d, ret);
        case FCGI_STDIN:
                return start_stdin(d);
        case FCGI_ABORT_REQUEST:
                return start_abort(d, ret);
        default:
                return 0;
        }
}

/* Feeds some content, at least one byte, to the sink; content_left already excludes it. Returns as above. */
static int record_content(FcgiDecoder *d, const uint8_t *bytes, size_t size, FcgiItem *ret)
{
        switch (d->sink) {
        case SINK_BEGIN:
        case SINK_GET_VALUES:
                return on_whole(d, bytes, size, ret);
        case SINK_PARAMS:
                return on_params(d, bytes, size, ret);
        case SINK_BODY:
                *ret = (FcgiItem) { .data = { .bytes = bytes, .size = size } };
                return FCGI_BODY;
        case SINK_SKIP:
                break;
        }
        return 0;
}

/* Takes what is available of the bytes that a part of the record still wants. */
static size_t take(size_t *left, size_t available)
{
        size_t n = MIN(*left, available);

        *left -= n;
        return n;
}

/* The header is complete: checks it, and holds a request back that comes too early. Returns as above. */
static int on_header(FcgiDecoder *d, FcgiItem *ret)
{
        FcgiHeader header = fcgi_decode_header(d->header_bytes);

        if (header.version != FCGI_VERSION_1)
                return -EBADMSG;
        if (header.type == FCGI_BEGIN_REQUEST && header.request_id != FCGI_NULL_REQUEST_ID &&
            d->state >= REQUEST_WHOLE)
                return FCGI_PAUSED;

        d->header = header;
        d->header_used = 0;
        d->content_left = header.content_size;
        d->padding_left = header.padding_size;
        return record_start(d, ret);
}

/* Takes bytes for the part of a record that the input stands in. An event, -errno, or 0 to go on. */
static int step(FcgiDecoder *d, const uint8_t *bytes, size_t size, size_t *ret_used, FcgiItem *ret)
{
        size_t n;

        if (d->content_left > 0) {
                n = *ret_used = take(&d->content_left, size);
                return record_content(d, bytes, n, ret);
        }
        if (d->padding_left > 0) {
                *ret_used = take(&d->padding_left, size);
                return 0;
        }

        n = *ret_used = MIN(FCGI_HEADER_SIZE - d->header_used, size);
        if (n > 0)
                memcpy(d->header_bytes + d->header_used, bytes, n);
        d->header_used += n;
        return d->header_used == FCGI_HEADER_SIZE ? on_header(d, ret) : 0;
}

/* True when the next step needs input: all do but the one on a complete header that was held back. */
static bool needs_input(const FcgiDecoder *d)
{
        return d->header_used < FCGI_HEADER_SIZE;
}

int fcgi_decoder_next(FcgiDecoder *d, const uint8_t *bytes, size_t size, size_t *ret_used, FcgiItem *ret)
{
        size_t used = 0;
        int r = d->error;

        while (r == 0 && (used < size || !needs_input(d))) {
                size_t n = 0;

                r = step(d, bytes ? bytes + used : NULL, size - used, &n, ret);
                used += n;
        }
        if (r < 0) {
                d->error = r;
                return r;
        }

        *ret_used = used;
        return r;
}
