/* SPDX-License-Identifier: MIT */

/*
 * The outgoing half of the codec: its records byte by byte as the specification draws them, and parameters
 * read back by the incoming half.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fastcgi/decoder.h"
#include "fastcgi/encoder.h"

static void test_padding(void **state _unused_)
{
        for (size_t size = 0; size <= FCGI_CONTENT_MAX; size++) {
                assert_true(fcgi_padding(size) <= 7);
                assert_int_equal((size + fcgi_padding(size)) % 8, 0);
        }
}

static void test_header(void **state _unused_)
{
        static const struct {
                FcgiType type;
                uint16_t request_id;
                size_t content_size;
                uint8_t padding;
                uint8_t bytes[FCGI_HEADER_SIZE];
        } cases[] = {
                { FCGI_STDOUT, 1, 0, 0, { 1, 6, 0, 1, 0, 0, 0, 0 } },
                { FCGI_STDERR, 0x1234, 0x5678, 7, { 1, 7, 0x12, 0x34, 0x56, 0x78, 7, 0 } },
                { FCGI_UNKNOWN_TYPE, 65535, 65535, 255, { 1, 11, 255, 255, 255, 255, 255, 0 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint8_t bytes[FCGI_HEADER_SIZE];
                FcgiHeader header;

                memset(bytes, 0xaa, sizeof bytes);
                fcgi_encode_header(bytes, cases[i].type, cases[i].request_id, cases[i].content_size,
                                   cases[i].padding);
                assert_memory_equal(bytes, cases[i].bytes, sizeof bytes);

                header = fcgi_decode_header(bytes);
                assert_int_equal(header.version, FCGI_VERSION_1);
                assert_int_equal(header.type, cases[i].type);
                assert_int_equal(header.request_id, cases[i].request_id);
                assert_int_equal(header.content_size, cases[i].content_size);
                assert_int_equal(header.padding_size, cases[i].padding);
        }
}

static void test_header_is_read_unchecked(void **state _unused_)
{
        static const uint8_t bytes[FCGI_HEADER_SIZE] = { 9, 200, 0, 0, 1, 2, 3, 4 };
        FcgiHeader header = fcgi_decode_header(bytes);

        assert_int_equal(header.version, 9);
        assert_int_equal(header.type, 200);
        assert_int_equal(header.content_size, 0x102);
}

static void test_end_request(void **state _unused_)
{
        static const uint8_t expected[FCGI_END_REQUEST_SIZE] = {
                1, 3, 1, 2, 0, 8, 0, 0, 0xde, 0xad, 0xbe, 0xef, FCGI_OVERLOADED, 0, 0, 0,
        };
        uint8_t bytes[FCGI_END_REQUEST_SIZE];

        memset(bytes, 0xaa, sizeof bytes);
        fcgi_encode_end_request(bytes, 0x102, 0xdeadbeef, FCGI_OVERLOADED);
        assert_memory_equal(bytes, expected, sizeof bytes);
}

static void test_unknown_type(void **state _unused_)
{
        static const uint8_t expected[FCGI_UNKNOWN_TYPE_SIZE] = { 1, 11, 0, 0, 0, 8, 0, 0, 200 };
        uint8_t bytes[FCGI_UNKNOWN_TYPE_SIZE];

        memset(bytes, 0xaa, sizeof bytes);
        fcgi_encode_unknown_type(bytes, 200);
        assert_memory_equal(bytes, expected, sizeof bytes);
}

static void test_begin_request(void **state _unused_)
{
        static const struct {
                FcgiRole role;
                bool keep;
                uint8_t bytes[FCGI_BEGIN_REQUEST_SIZE];
        } cases[] = {
                { FCGI_RESPONDER, false, { 1, 1, 0, 7, 0, 8, 0, 0, 0, 1 } },
                { FCGI_FILTER, true, { 1, 1, 0, 7, 0, 8, 0, 0, 0, 3, 1 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint8_t bytes[FCGI_BEGIN_REQUEST_SIZE];

                memset(bytes, 0xaa, sizeof bytes);
                fcgi_encode_begin_request(bytes, 7, cases[i].role, cases[i].keep);
                assert_memory_equal(bytes, cases[i].bytes, sizeof bytes);
        }
}

static void test_params_bytes(void **state _unused_)
{
        static const uint8_t expected[] = {
                1, 1, 0, 7, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0,   /* BEGIN_REQUEST */
                1, 4, 0, 7, 0, 12, 4, 0,                          /* header: 12 bytes, 4 of padding */
                1, 2, 'A', 'b', 'c', 5, 0, 'E', 'M', 'P', 'T', 'Y', /* both pairs */
                0, 0, 0, 0,                                         /* padding */
                1, 4, 0, 7, 0, 0, 0, 0,                             /* the end of the stream */
        };
        _cleanup_(params_freep) Params *params = NULL;
        _cleanup_(freep) uint8_t *bytes = NULL;
        size_t size;

        assert_int_equal(params_new(&params), 0);
        assert_int_equal(params_set(params, "A", 1, "bc", 2), 0);
        assert_int_equal(params_set(params, "EMPTY", 5, "", 0), 0);
        assert_int_equal(fcgi_encode_request_head(7, FCGI_RESPONDER, true, params, &bytes, &size), 0);
        assert_int_equal(size, sizeof expected);
        assert_memory_equal(bytes, expected, size);
}

static void test_no_params(void **state _unused_)
{
        static const uint8_t expected[] = {
                1, 1, 0, 7, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, /* BEGIN_REQUEST */
                1, 4, 0, 7, 0, 0, 0, 0,                         /* no PARAMS */
        };
        _cleanup_(params_freep) Params *params = NULL;
        _cleanup_(freep) uint8_t *bytes = NULL;
        size_t size;

        assert_int_equal(params_new(&params), 0);
        assert_int_equal(fcgi_encode_request_head(7, FCGI_RESPONDER, true, params, &bytes, &size), 0);
        assert_int_equal(size, sizeof expected);
        assert_memory_equal(bytes, expected, size);
}

/* Lists of parameters with values of the same size: what they are when they were encoded and decoded. */
typedef struct List {
        size_t n_params;
        size_t value_size;
        size_t n_records; /* without the one that ends the stream */
} List;

static const List lists[] = {
        { 1, 0, 1 },
        { 1, 127, 1 },
        { 1, 128, 1 },
        { 40, 30, 1 },
        { PARAMS_COUNT_MAX, 1, 1 },
        /* A pair takes 10 bytes more than such a value; 65528 bytes are a full record. */
        { 1, 65518, 1 },
        { 1, 65519, 2 },
        { 2, 65518, 2 },
        { 2, 32754, 1 },
        { 2, 32755, 2 },
        { 3, 40000, 3 },
        { 4, 200000, 4 * 4 },
        { 1, PARAMS_SIZE_MAX - 7, 17 },
};

static void fill(Params *params, const List *list)
{
        _cleanup_(freep) char *value = malloc(list->value_size + 1);

        assert_non_null(value);
        for (size_t i = 0; i < list->n_params; i++) {
                char name[32];

                memset(value, (int) ('a' + i % 26), list->value_size);
                (void) snprintf(name, sizeof name, "N%04zu", i);
                assert_int_equal(params_set(params, name, 5, value, list->value_size), 0);
        }
}

/* Every record is full or padded to 8, and only the last one is empty. */
static size_t count_records(const uint8_t *bytes, size_t size)
{
        size_t n = 0;

        for (size_t at = 0; at < size;) {
                FcgiHeader header;

                assert_true(size - at >= FCGI_HEADER_SIZE);
                header = fcgi_decode_header(bytes + at);
                assert_int_equal(header.version, FCGI_VERSION_1);
                assert_int_equal(header.type, FCGI_PARAMS);
                assert_int_equal(header.request_id, 9);
                assert_int_equal(header.padding_size, fcgi_padding(header.content_size));
                at += FCGI_HEADER_SIZE + (size_t) header.content_size + header.padding_size;
                assert_true(at <= size);
                assert_int_equal(header.content_size == 0, at == size);
                n += header.content_size > 0;
        }
        return n;
}

static void assert_same_params(const Params *a, const Params *b)
{
        assert_int_equal(params_count(a), params_count(b));
        for (size_t i = 0; i < params_count(a); i++) {
                const Param *p = params_at(a, i), *q = params_at(b, i);

                assert_int_equal(p->name_size, q->name_size);
                assert_memory_equal(p->name, q->name, p->name_size + 1);
                assert_int_equal(p->value_size, q->value_size);
                assert_memory_equal(p->value, q->value, p->value_size + 1);
        }
}

static void assert_decodes_to(const uint8_t *bytes, size_t size, const Params *params)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *decoder = NULL;
        FcgiItem item;
        size_t used;

        assert_int_equal(fcgi_decoder_new(&decoder), 0);
        assert_int_equal(fcgi_decoder_next(decoder, bytes, size, &used, &item), FCGI_REQUEST);
        assert_int_equal(used, size);
        assert_int_equal(item.request.id, 9);
        assert_int_equal(item.request.role, FCGI_AUTHORIZER);
        assert_true(item.request.keep_connection);
        assert_same_params(item.request.params, params);
}

static void test_params_round_trip(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(lists); i++) {
                _cleanup_(params_freep) Params *params = NULL;
                _cleanup_(freep) uint8_t *bytes = NULL;
                size_t size;

                assert_int_equal(params_new(&params), 0);
                fill(params, &lists[i]);
                assert_int_equal(fcgi_encode_request_head(9, FCGI_AUTHORIZER, true, params, &bytes, &size),
                                 0);
                assert_int_equal(count_records(bytes + FCGI_BEGIN_REQUEST_SIZE,
                                               size - FCGI_BEGIN_REQUEST_SIZE),
                                 lists[i].n_records);
                assert_decodes_to(bytes, size, params);
        }
}

/* ---- Answers ---- */

/* Reads one stream: each record is full but the last, which alone is padded. Its content, and where it ends.
 */
static const uint8_t *read_stream(const uint8_t *p, FcgiType type, uint8_t *content, size_t size)
{
        for (size_t at = 0; at < size;) {
                FcgiHeader header = fcgi_decode_header(p);
                size_t n = MIN(size - at, (size_t) FCGI_STREAM_CONTENT_MAX);

                assert_int_equal(header.version, FCGI_VERSION_1);
                assert_int_equal(header.type, type);
                assert_int_equal(header.request_id, 0x102);
                assert_int_equal(header.content_size, n);
                assert_int_equal(header.padding_size, fcgi_padding(n));
                memcpy(content + at, p + FCGI_HEADER_SIZE, n);
                for (size_t i = 0; i < header.padding_size; i++)
                        assert_int_equal(p[FCGI_HEADER_SIZE + n + i], 0);
                p += FCGI_HEADER_SIZE + n + header.padding_size;
                at += n;
        }
        return p;
}

/* Bytes of which no two neighbours are the same for long. */
static uint8_t *bytes_of(size_t size, uint8_t seed)
{
        uint8_t *bytes = malloc(size + 1);

        assert_non_null(bytes);
        for (size_t i = 0; i < size; i++)
                bytes[i] = (uint8_t) (i * 7 + i / 251 + seed);
        return bytes;
}

static void check_answer(size_t head, size_t body, size_t error, size_t n_bytes)
{
        _cleanup_(freep) uint8_t *h = bytes_of(head, 1), *b = bytes_of(body, 2), *e = bytes_of(error, 3);
        _cleanup_(freep) uint8_t *out = bytes_of(head + body, 0), *err = bytes_of(error, 0);
        _cleanup_(freep) uint8_t *bytes = NULL;
        uint8_t end[FCGI_END_REQUEST_SIZE];
        const FcgiAnswer answer = { 0x102, h, head, b, body, e, error };
        const uint8_t *p;

        assert_int_equal(fcgi_answer_size(&answer), n_bytes);
        bytes = malloc(n_bytes + 1);
        assert_non_null(bytes);
        memset(bytes, 0xaa, n_bytes + 1);
        assert_ptr_equal(fcgi_encode_answer(bytes, &answer), bytes + n_bytes);
        assert_int_equal(bytes[n_bytes], 0xaa);

        p = read_stream(bytes, FCGI_STDOUT, out, head + body);
        assert_memory_equal(out, h, head);
        assert_memory_equal(out + head, b, body);
        p = read_stream(p, FCGI_STDERR, err, error);
        assert_memory_equal(err, e, error);

        fcgi_encode_end_request(end, 0x102, 0, FCGI_REQUEST_COMPLETE);
        assert_memory_equal(p, end, sizeof end);
        assert_ptr_equal(p + sizeof end, bytes + n_bytes);
}

/* A record's header takes 8 bytes, as does its content's last part, and the end takes 16. */
static void test_answer(void **state _unused_)
{
        static const struct {
                size_t head, body, error, n_bytes;
        } cases[] = {
                { 0, 0, 0, 16 },
                { 1, 0, 0, 8 + 8 + 16 },
                { 0, 1, 0, 8 + 8 + 16 },
                { 0, 0, 1, 8 + 8 + 16 },
                { 7, 1, 0, 8 + 8 + 16 },
                { 8, 1, 0, 8 + 16 + 16 },
                { 40, 24, 9, 8 + 64 + 8 + 16 + 16 },
                { 0, 65527, 0, 8 + 65528 + 16 },
                { 0, 65528, 0, 8 + 65528 + 16 },
                { 0, 65529, 0, 8 + 65528 + 8 + 8 + 16 },
                { 0, 65535, 0, 8 + 65528 + 8 + 8 + 16 },
                { 0, 65536, 0, 8 + 65528 + 8 + 8 + 16 },
                { 0, 65537, 0, 8 + 65528 + 8 + 16 + 16 },
                { 65535, 0, 65535, 2 * (8 + 65528 + 8 + 8) + 16 },
                { 32764, 32764, 65528, 8 + 65528 + 8 + 65528 + 16 },
                { 65528, 65528, 0, 2 * (8 + 65528) + 16 },
                { 100, 1000000, 70000, 16 * 8 + 1000104 + 2 * 8 + 70000 + 16 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_answer(cases[i].head, cases[i].body, cases[i].error, cases[i].n_bytes);
}

/* What has no bytes needs no pointer; the size is a constant, for buffers on the stack. */
static void test_answer_without_content(void **state _unused_)
{
        uint8_t bytes[FCGI_ANSWER_SIZE(sizeof "x" - 1, 0)];

        assert_ptr_equal(fcgi_encode_answer(bytes, &(FcgiAnswer) { .request_id = 1 }),
                         bytes + FCGI_END_REQUEST_SIZE);
        assert_ptr_equal(
                fcgi_encode_answer(bytes, &(FcgiAnswer) { .request_id = 1, .head = "x", .head_size = 1 }),
                bytes + sizeof bytes);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_padding),
                cmocka_unit_test(test_header),
                cmocka_unit_test(test_header_is_read_unchecked),
                cmocka_unit_test(test_end_request),
                cmocka_unit_test(test_unknown_type),
                cmocka_unit_test(test_begin_request),
                cmocka_unit_test(test_params_bytes),
                cmocka_unit_test(test_no_params),
                cmocka_unit_test(test_params_round_trip),
                cmocka_unit_test(test_answer),
                cmocka_unit_test(test_answer_without_content),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
