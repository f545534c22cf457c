/* SPDX-License-Identifier: MIT */

/*
 * Fuzzes the FastCGI codec. The first two bytes of the input say how the rest, which is what a client sends,
 * is cut into pieces and when requests are finished. It is decoded in one piece and then, by the same
 * decoder after a reset, in those pieces, and then again in those pieces, by another decoder for each of
 * them that goes on where the one before was; all must give the same trace of events. Parameters that were
 * decoded are encoded again and must come back the same.
 */

#include "fastcgi/decoder-save.h"
#include "fastcgi/decoder.h"
#include "fastcgi/encoder.h"
#include "input.h"

/* When the active request is answered: the low bits of the input's first byte. */
typedef enum Finish {
        FINISH_AT_END,      /* at FCGI_BODY_END, FCGI_ABORT, FCGI_TOO_LARGE */
        FINISH_WHEN_PAUSED, /* at FCGI_PAUSED */
        FINISH_AT_REQUEST,  /* at FCGI_REQUEST: the body is not read */
        FINISH_NEVER,
        _FINISH_MAX,
} Finish;

/* How the input is cut: pieces of a fixed size, or of sizes that a generator gives. */
typedef struct Cutter {
        size_t fixed; /* 0 for the generator */
        uint32_t seed;
} Cutter;

static size_t cutter_next(Cutter *c)
{
        if (c->fixed > 0)
                return c->fixed;

        c->seed = c->seed * 1664525U + 1013904223U;
        return c->seed >> 24 & 31; /* also pieces of nothing */
}

/* What was decoded, as bytes. Pieces of one body stand together, whatever their sizes. */
typedef struct Trace {
        uint8_t *bytes;
        size_t size, allocated;
        bool in_body;
        bool active;    /* the last request was not finished */
        bool too_large; /* one was: bounds count what was replaced, which does not move along */
} Trace;

static void trace_done(Trace *t)
{
        free(t->bytes);
}

static void trace(Trace *t, const void *data, size_t size)
{
        if (t->size + size > t->allocated) {
                t->allocated = 2 * (t->size + size);
                t->bytes = realloc(t->bytes, t->allocated);
                CHECK(t->bytes);
        }
        if (size > 0)
                memcpy(t->bytes + t->size, data, size);
        t->size += size;
}

static void trace_params(Trace *t, const Params *params)
{
        for (size_t i = 0; i < params_count(params); i++) {
                const Param *param = params_at(params, i);

                CHECK(param->name[param->name_size] == 0 && param->value[param->value_size] == 0);
                trace(t, &param->name_size, sizeof param->name_size);
                trace(t, param->name, param->name_size);
                trace(t, &param->value_size, sizeof param->value_size);
                trace(t, param->value, param->value_size);
        }
}

static void trace_request(Trace *t, const FcgiRequest *request)
{
        CHECK(request->id != FCGI_NULL_REQUEST_ID);
        CHECK(request->role >= FCGI_RESPONDER && request->role <= FCGI_FILTER);

        trace(t, &request->id, sizeof request->id);
        trace(t, &request->role, sizeof request->role);
        trace(t, &request->keep_connection, sizeof request->keep_connection);
        trace_params(t, request->params);
}

static void trace_event(Trace *t, int event, const FcgiItem *item)
{
        if (event != FCGI_BODY || !t->in_body)
                trace(t, &event, sizeof event);
        t->in_body = event == FCGI_BODY;
        t->active = t->active || event == FCGI_REQUEST || event == FCGI_TOO_LARGE;
        t->too_large = t->too_large || event == FCGI_TOO_LARGE;

        if (event == FCGI_REQUEST || event == FCGI_TOO_LARGE)
                trace_request(t, &item->request);
        if (event == FCGI_BODY || event == FCGI_REPLY)
                trace(t, item->data.bytes, item->data.size);
        if (event == FCGI_REPLY)
                trace(t, &item->data.close, sizeof item->data.close);
}

/* Encodes the parameters of a request and decodes them again. */
static void check_round_trip(const FcgiRequest *request)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *decoder = NULL;
        _cleanup_(trace_done) Trace before = {}, after = {};
        _cleanup_(freep) uint8_t *bytes = NULL;
        size_t size, used;
        FcgiItem item;

        CHECK(fcgi_decoder_new(&decoder) == 0);
        CHECK(fcgi_encode_request_head(request->id, request->role, request->keep_connection,
                                       request->params, &bytes, &size) == 0);
        CHECK(fcgi_decoder_next(decoder, bytes, size, &used, &item) == FCGI_REQUEST && used == size);

        trace_request(&before, request);
        trace_request(&after, &item.request);
        CHECK(before.size == after.size && memcmp(before.bytes, after.bytes, after.size) == 0);
}

/* What must hold of every event that one call gave for the bytes from p on. */
static void check_event(int event, const FcgiItem *item, const uint8_t *p, size_t size, size_t used)
{
        CHECK(used <= size);
        CHECK(event <= FCGI_PAUSED);

        if (event == FCGI_NEED_MORE)
                CHECK(used == size);
        else if (event != FCGI_PAUSED)
                CHECK(used > 0); /* so it ends */

        if (event == FCGI_REQUEST)
                check_round_trip(&item->request);
        if (event == FCGI_TOO_LARGE)
                CHECK(params_count(item->request.params) == 0);
        if (event == FCGI_BODY)
                CHECK(item->data.size > 0 && item->data.size <= used &&
                      item->data.bytes + item->data.size == p + used);
        if (event == FCGI_REPLY)
                CHECK(item->data.size >= FCGI_HEADER_SIZE && item->data.size % 8 == 0);
}

static bool finishes(Finish finish, int event)
{
        switch (finish) {
        case FINISH_AT_END:
                return event == FCGI_BODY_END || event == FCGI_ABORT || event == FCGI_TOO_LARGE;
        case FINISH_WHEN_PAUSED:
                return event == FCGI_PAUSED;
        case FINISH_AT_REQUEST:
                return event == FCGI_REQUEST || event == FCGI_TOO_LARGE;
        default:
                return false;
        }
}

static void check_error_sticks(FcgiDecoder *decoder)
{
        size_t used;
        FcgiItem item;

        CHECK(fcgi_decoder_next(decoder, NULL, 0, &used, &item) == -EBADMSG);
        fcgi_decoder_finish(decoder);
        CHECK(fcgi_decoder_next(decoder, NULL, 0, &used, &item) == -EBADMSG);
}

/* Decodes one piece. False when nothing more is to come: an error, or a request that is never finished. */
static bool decode_piece(FcgiDecoder *decoder, Finish finish, const uint8_t *p, size_t size, Trace *t)
{
        for (;;) {
                size_t used;
                FcgiItem item;
                int event;

                event = fcgi_decoder_next(decoder, p, size, &used, &item);
                if (event < 0) {
                        CHECK(event == -EBADMSG);
                        check_error_sticks(decoder);
                        trace_event(t, event, &item);
                        return false;
                }
                check_event(event, &item, p, size, used);
                p += used;
                size -= used;
                if (event == FCGI_NEED_MORE)
                        return true;

                trace_event(t, event, &item);
                if (finishes(finish, event)) {
                        fcgi_decoder_finish(decoder);
                        t->active = false;
                } else if (event == FCGI_PAUSED)
                        return false;
        }
}

/* Each piece is copied to memory of its own, so that reading beyond it is found. */
static void decode(FcgiDecoder *decoder, Finish finish, Cutter cutter, const uint8_t *p, size_t size,
                   Trace *t)
{
        bool more = true;

        while (more && size > 0) {
                size_t n = MIN(cutter_next(&cutter), size);
                _cleanup_(freep) uint8_t *piece = malloc(n);

                CHECK(piece || n == 0);
                if (n > 0)
                        memcpy(piece, p, n);
                more = decode_piece(decoder, finish, piece, n, t);
                p += n;
                size -= n;
        }
}

/* Between pieces, where no request is at hand, a new decoder takes the place of the one before. */
static void decode_moving(Finish finish, Cutter cutter, const uint8_t *p, size_t size, Trace *t)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *decoder = NULL;
        bool more = true;

        CHECK(fcgi_decoder_new(&decoder) == 0);
        while (more && size > 0) {
                size_t n = MIN(cutter_next(&cutter), size), rest, saved_size;
                _cleanup_(freep) uint8_t *saved = NULL;

                more = decode_piece(decoder, finish, p, n, t);
                p += n;
                size -= n;
                if (!more || t->active)
                        continue;

                rest = MIN(cutter_next(&cutter), size);
                CHECK(fcgi_decoder_save(decoder, p, rest, &saved, &saved_size) == 0);
                p += rest;
                size -= rest;
                fcgi_decoder_free(decoder);
                decoder = NULL;
                CHECK(fcgi_decoder_new(&decoder) == 0);
                more = decode_piece(decoder, finish, saved, saved_size, t);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *decoder = NULL;
        _cleanup_(trace_done) Trace whole = {}, cut = {}, moved = {};
        Finish finish;
        Cutter cutter;

        if (size < 2)
                return 0;
        finish = (Finish) (data[0] % _FINISH_MAX);
        cutter = (Cutter) { .fixed = data[0] >> 2, .seed = data[1] };

        CHECK(fcgi_decoder_new(&decoder) == 0);
        decode(decoder, finish, (Cutter) { .fixed = SIZE_MAX }, data + 2, size - 2, &whole);
        fcgi_decoder_reset(decoder);
        CHECK(!fcgi_decoder_busy(decoder));
        decode(decoder, finish, cutter, data + 2, size - 2, &cut);

        CHECK(whole.size == cut.size);
        CHECK(whole.size == 0 || memcmp(whole.bytes, cut.bytes, whole.size) == 0);

        decode_moving(finish, cutter, data + 2, size - 2, &moved);
        if (whole.too_large)
                return 0;
        CHECK(whole.size == moved.size);
        CHECK(whole.size == 0 || memcmp(whole.bytes, moved.bytes, whole.size) == 0);
        return 0;
}
