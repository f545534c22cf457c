/* SPDX-License-Identifier: MIT */

/*
 * A decoder that goes on in another process: wherever the input was cut, the second one comes to the same
 * request as one that read all of it.
 */

#include "helpers/unit.h"

#include "fastcgi/decoder-save.h"
#include "helpers/fastcgi.h"
#include "helpers/text.h"

/* What stands before a request, and is answered or skipped; and how its PARAMS are cut into records. */
typedef struct Stream {
        const char *name;
        bool management;   /* GET_VALUES and an unknown type come first */
        bool skipped;      /* a record of no request does */
        size_t value_size; /* of one parameter */
        size_t record;     /* content of each PARAMS record */
} Stream;

static const Stream streams[] = {
        { "as it mostly is", false, false, 20, SIZE_MAX },
        { "pairs cut everywhere", false, false, 40, 1 },
        { "records that end anywhere", false, false, 300, 7 },
        { "behind management records", true, false, 10, 33 },
        { "behind what is skipped", false, true, 10, SIZE_MAX },
        { "behind both, with a long pair", true, true, 700, 128 },
};

static Params *params_of(size_t value_size)
{
        _cleanup_(freep) char *value = calloc(1, value_size + 1);
        Params *params;

        assert_non_null(value);
        memset(value, 'v', value_size);
        assert_int_equal(params_new(&params), 0);
        set_param(params, "SCRIPT_NAME", "/a.php");
        set_param(params, "EMPTY", "");
        set_param(params, "LONG", value);
        return params;
}

/* The content of all PARAMS records, of which there is one. */
static void add_cut(Bytes *b, const Params *params, size_t record)
{
        Bytes head = {};
        size_t size;
        const uint8_t *content;

        add_head_of(&head, 5, FCGI_FILTER, true, params);
        size = fcgi_decode_header(head.data + FCGI_BEGIN_REQUEST_SIZE).content_size;
        content = head.data + FCGI_BEGIN_REQUEST_SIZE + FCGI_HEADER_SIZE;
        add_begin(b, 5, FCGI_FILTER, true);
        for (size_t at = 0; at < size;) {
                size_t n = MIN(record, size - at);

                add_record(b, FCGI_PARAMS, 5, content + at, n);
                at += n;
        }
        add_record(b, FCGI_PARAMS, 5, NULL, 0);
        bytes_clear(&head);
}

static Bytes bytes_of(const Stream *stream, const Params *params)
{
        Bytes b = {};

        if (stream->management) {
                add_record(&b, FCGI_GET_VALUES, FCGI_NULL_REQUEST_ID, "\x0f\0FCGI_MPXS_CONNS", 17);
                add_record(&b, FCGI_UNKNOWN_TYPE, FCGI_NULL_REQUEST_ID, "x", 1);
        }
        if (stream->skipped)
                add_record(&b, FCGI_STDIN, 77, "late", 4);
        add_cut(&b, params, stream->record);
        return b;
}

/* Gives the decoder all of these: an event other than a reply, and how much was taken. Counts replies. */
static int feed(FcgiDecoder *d, const uint8_t *bytes, size_t size, size_t *ret_used, FcgiItem *ret,
                size_t *n_replies)
{
        size_t at = 0, used;
        int r;

        do {
                r = fcgi_decoder_next(d, bytes + at, size - at, &used, ret);
                assert_true(r >= 0);
                at += used;
                *n_replies += r == FCGI_REPLY;
        } while (r == FCGI_REPLY);
        *ret_used = at;
        return r;
}

/* The first decoder gets so many bytes, of which the last n_unread are left to the other one. */
static void check_cut(const Bytes *b, const Params *params, size_t cut, size_t n_unread, size_t n_expected)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *first = NULL, *second = NULL;
        _cleanup_(freep) uint8_t *saved = NULL;
        size_t size, used, n_replies = 0;
        FcgiItem item;
        int r;

        assert_int_equal(fcgi_decoder_new(&first), 0);
        assert_int_equal(fcgi_decoder_new(&second), 0);
        assert_int_equal(feed(first, b->data, cut - n_unread, &used, &item, &n_replies), FCGI_NEED_MORE);
        assert_int_equal(fcgi_decoder_save(first, b->data + cut - n_unread, n_unread, &saved, &size), 0);

        r = feed(second, saved, size, &used, &item, &n_replies);
        assert_int_equal(used, size);
        if (r == FCGI_NEED_MORE)
                r = feed(second, b->data + cut, b->size - cut, &used, &item, &n_replies);
        assert_int_equal(r, FCGI_REQUEST);
        assert_int_equal(n_replies, n_expected); /* nothing is answered twice */
        assert_int_equal(item.request.id, 5);
        assert_int_equal(item.request.role, FCGI_FILTER);
        assert_true(item.request.keep_connection);
        assert_int_equal(params_count(item.request.params), params_count(params));
        for (size_t i = 0; i < params_count(params); i++) {
                assert_string_equal(params_at(item.request.params, i)->name, params_at(params, i)->name);
                assert_string_equal(params_at(item.request.params, i)->value, params_at(params, i)->value);
        }
}

static void test_every_cut(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(streams); i++) {
                _cleanup_(params_freep) Params *params = params_of(streams[i].value_size);
                Bytes b = bytes_of(&streams[i], params);

                print_message("%s\n", streams[i].name);
                for (size_t cut = 0; cut < b.size; cut++)
                        for (size_t unread = 0; unread <= MIN(cut, (size_t) 3); unread++)
                                check_cut(&b, params, cut, unread, streams[i].management ? 2 : 0);
                bytes_clear(&b);
        }
}

/* Nothing is saved of a decoder between requests: as many bytes as were not taken. */
static void test_nothing(void **state _unused_)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *decoder = NULL;
        _cleanup_(freep) uint8_t *empty = NULL, *two = NULL;
        size_t size;

        assert_int_equal(fcgi_decoder_new(&decoder), 0);
        assert_int_equal(fcgi_decoder_save(decoder, NULL, 0, &empty, &size), 0);
        assert_int_equal(size, 0);
        assert_int_equal(fcgi_decoder_save(decoder, (const uint8_t *) "ab", 2, &two, &size), 0);
        assert_int_equal(size, 2);
        assert_memory_equal(two, "ab", 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_cut),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
