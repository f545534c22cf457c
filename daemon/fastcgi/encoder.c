/* SPDX-License-Identifier: MIT */

/*
 * The outgoing half of the FastCGI codec: see encoder.h. Pure: it fills buffers and knows no descriptor.
 * The worker writes its record headers with it, the decoder its own answers, and whoever has an answer in
 * one piece all of that; the client's side serves php-poolctl and the tests.
 */

#include "fastcgi/encoder.h"

#include "fastcgi/protocol.h"

/* 3.4: the longest form of a pair's two lengths; lengths from 128 on take four bytes. */
#define PAIR_LENGTHS_MAX 8
#define SHORT_LENGTH_MAX 127

/* 3.3: at most 7 bytes of padding follow where it only aligns. */
#define RECORD_OVERHEAD_MAX (FCGI_HEADER_SIZE + 7)

static uint8_t *put_u16(uint8_t *p, uint16_t value)
{
        *p++ = (uint8_t) (value >> 8);
        *p++ = (uint8_t) value;
        return p;
}

static uint8_t *put_u32(uint8_t *p, uint32_t value)
{
        p = put_u16(p, (uint16_t) (value >> 16));
        return put_u16(p, (uint16_t) value);
}

void fcgi_encode_header(uint8_t *p, FcgiType type, uint16_t request_id, size_t content_size,
                        uint8_t padding)
{
        assert(content_size <= FCGI_CONTENT_MAX);

        *p++ = FCGI_VERSION_1;
        *p++ = (uint8_t) type;
        p = put_u16(p, request_id);
        p = put_u16(p, (uint16_t) content_size);
        *p++ = padding;
        *p++ = 0; /* reserved */
}

void fcgi_encode_end_request(uint8_t *p, uint16_t request_id, uint32_t app_status, FcgiStatus status)
{
        fcgi_encode_header(p, FCGI_END_REQUEST, request_id, 8, 0);
        p = put_u32(p + FCGI_HEADER_SIZE, app_status);
        *p++ = (uint8_t) status;
        memset(p, 0, 3); /* reserved */
}

void fcgi_encode_unknown_type(uint8_t *p, uint8_t type)
{
        fcgi_encode_header(p, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID, 8, 0);
        p += FCGI_HEADER_SIZE;
        *p++ = type;
        memset(p, 0, 7); /* reserved */
}

void fcgi_encode_begin_request(uint8_t *p, uint16_t request_id, FcgiRole role, bool keep_connection)
{
        fcgi_encode_header(p, FCGI_BEGIN_REQUEST, request_id, 8, 0);
        p = put_u16(p + FCGI_HEADER_SIZE, (uint16_t) role);
        *p++ = keep_connection ? FCGI_FLAG_KEEP_CONN : 0;
        memset(p, 0, 5); /* reserved */
}

FcgiHeader fcgi_decode_header(const uint8_t *p)
{
        return (FcgiHeader) {
                .version = p[0],
                .type = p[1],
                .request_id = (uint16_t) (p[2] << 8 | p[3]),
                .content_size = (uint16_t) (p[4] << 8 | p[5]),
                .padding_size = p[6],
        };
}

/* A stream of records in the making, in a buffer that is large enough for all of it. */
typedef struct Stream {
        uint8_t *record; /* the header of the record that is being filled */
        size_t content_size;
        uint16_t request_id;
        FcgiType type;
} Stream;

/* Ends the record and starts the next one behind it. Without content it is the end of the stream (3.3). */
static void stream_close_record(Stream *s)
{
        uint8_t padding = fcgi_padding(s->content_size);
        uint8_t *end = s->record + FCGI_HEADER_SIZE + s->content_size;

        fcgi_encode_header(s->record, s->type, s->request_id, s->content_size, padding);
        memset(end, 0, padding);
        s->record = end + padding;
        s->content_size = 0;
}

static void stream_write(Stream *s, const void *data, size_t size)
{
        const uint8_t *p = data;

        while (size > 0) {
                size_t n = MIN(size, FCGI_STREAM_CONTENT_MAX - s->content_size);

                memcpy(s->record + FCGI_HEADER_SIZE + s->content_size, p, n);
                s->content_size += n;
                p += n;
                size -= n;
                if (s->content_size == FCGI_STREAM_CONTENT_MAX)
                        stream_close_record(s);
        }
}

/* The last record of what was written; none where it is full, or nothing was. Where the stream ends. */
static uint8_t *stream_finish(Stream *s)
{
        if (s->content_size > 0)
                stream_close_record(s);
        return s->record;
}

size_t fcgi_answer_size(const FcgiAnswer *a)
{
        return FCGI_ANSWER_SIZE(a->head_size + a->body_size, a->error_size);
}

uint8_t *fcgi_encode_answer(uint8_t *p, const FcgiAnswer *a)
{
        Stream out = { .record = p, .request_id = a->request_id, .type = FCGI_STDOUT }, error;

        assert(a->head || a->head_size == 0);
        assert(a->body || a->body_size == 0);
        assert(a->error || a->error_size == 0);

        stream_write(&out, a->head, a->head_size);
        stream_write(&out, a->body, a->body_size);
        p = stream_finish(&out);

        error = (Stream) { .record = p, .request_id = a->request_id, .type = FCGI_STDERR };
        stream_write(&error, a->error, a->error_size);
        p = stream_finish(&error);

        fcgi_encode_end_request(p, a->request_id, 0, FCGI_REQUEST_COMPLETE);
        return p + FCGI_END_REQUEST_SIZE;
}

static uint8_t *put_length(uint8_t *p, uint32_t length)
{
        if (length > SHORT_LENGTH_MAX)
                return put_u32(p, length | UINT32_C(1) << 31);

        *p++ = (uint8_t) length;
        return p;
}

/* PHP-FPM closes the connection when a pair is cut in two; so only one that fits no record is cut. */
static void stream_write_pair(Stream *s, const Param *param)
{
        uint8_t lengths[PAIR_LENGTHS_MAX], *p;
        size_t n_lengths, pair_size;

        p = put_length(lengths, param->name_size);
        p = put_length(p, param->value_size);
        n_lengths = (size_t) (p - lengths);
        pair_size = n_lengths + param->name_size + param->value_size;

        if (s->content_size > 0 && pair_size > FCGI_STREAM_CONTENT_MAX - s->content_size)
                stream_close_record(s);
        stream_write(s, lengths, n_lengths);
        stream_write(s, param->name, param->name_size);
        stream_write(s, param->value, param->value_size);
}

/* What the records of all parameters can take at most. */
static size_t params_size_max(const Params *params)
{
        size_t content = 0, n_records;

        for (size_t i = 0; i < params_count(params); i++) {
                const Param *param = params_at(params, i);

                content += PAIR_LENGTHS_MAX + (size_t) param->name_size + param->value_size;
        }
        /* Each pair may close a record early, a long one fills some, and an empty one ends the stream. */
        n_records = params_count(params) + content / FCGI_STREAM_CONTENT_MAX + 2;
        return content + n_records * RECORD_OVERHEAD_MAX;
}

int fcgi_encode_request_head(uint16_t request_id, FcgiRole role, bool keep_connection, const Params *params,
                             uint8_t **ret_bytes, size_t *ret_size)
{
        Stream stream = { .request_id = request_id, .type = FCGI_PARAMS };
        uint8_t *bytes;

        bytes = malloc(FCGI_BEGIN_REQUEST_SIZE + params_size_max(params));
        if (!bytes)
                return -ENOMEM;

        fcgi_encode_begin_request(bytes, request_id, role, keep_connection);
        stream.record = bytes + FCGI_BEGIN_REQUEST_SIZE;
        for (size_t i = 0; i < params_count(params); i++)
                stream_write_pair(&stream, params_at(params, i));
        (void) stream_finish(&stream);
        stream_close_record(&stream); /* the end */

        *ret_bytes = bytes;
        *ret_size = (size_t) (stream.record - bytes);
        return 0;
}
