/* SPDX-License-Identifier: MIT */

/*
 * The incoming half of the codec. A case is a list of records and the trace of events that it must give,
 * written as text. Every case runs in one piece, byte by byte, and cut in two at every place, with the
 * request finished as soon as its end is known and, again, only when the decoder says that the next one
 * waits: the trace must be the same each time.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "fastcgi/decoder.h"
#include "fastcgi/encoder.h"

/* Bytes or text that grow. */
typedef struct Buffer {
        uint8_t *bytes;
        size_t size, allocated;
} Buffer;

static void buffer_done(Buffer *b)
{
        free(b->bytes);
}

static void put(Buffer *b, const void *data, size_t size)
{
        if (b->size + size >= b->allocated) {
                b->allocated = 2 * (b->size + size) + 64;
                b->bytes = realloc(b->bytes, b->allocated);
                assert_non_null(b->bytes);
        }
        if (size > 0)
                memcpy(b->bytes + b->size, data, size);
        b->size += size;
        b->bytes[b->size] = 0;
}

static void _printf_(2, 3) put_text(Buffer *b, const char *format, ...)
{
        char text[256];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        assert_true(n >= 0 && (size_t) n < sizeof text);
        put(b, text, (size_t) n);
}

/* Bytes as text: what is not printable as \xNN. */
static void put_escaped(Buffer *b, const void *data, size_t size)
{
        const uint8_t *p = data;

        for (size_t i = 0; i < size; i++)
                if (p[i] >= 0x20 && p[i] < 0x7f)
                        put(b, &p[i], 1);
                else
                        put_text(b, "\\x%02x", p[i]);
}

static void put_record(Buffer *b, uint8_t type, uint16_t id, const void *content, size_t size,
                       uint8_t padding)
{
        static const uint8_t garbage[UINT8_MAX] = { [0 ... UINT8_MAX - 1] = 0xaa };
        uint8_t header[FCGI_HEADER_SIZE];

        fcgi_encode_header(header, (FcgiType) type, id, size, padding);
        put(b, header, sizeof header);
        put(b, content, size);
        put(b, garbage, padding);
}

/* When the active request is answered, as the decoder sees it. */
typedef enum Finish {
        FINISH_AT_END,      /* when its input ended */
        FINISH_WHEN_PAUSED, /* only when the next one waits */
        FINISH_AT_REQUEST,  /* before its body was read */
} Finish;

typedef struct Reader {
        FcgiDecoder *decoder;
        Finish finish;
        Buffer trace;
        bool in_body;
} Reader;

static void reader_done(Reader *r)
{
        fcgi_decoder_free(r->decoder);
        buffer_done(&r->trace);
}

static Reader reader(Finish finish)
{
        Reader r = { .finish = finish };

        assert_int_equal(fcgi_decoder_new(&r.decoder), 0);
        put(&r.trace, "", 0);
        return r;
}

static void trace_request(Reader *r, const char *what, const FcgiRequest *request)
{
        put_text(&r->trace, "%s %u role %d%s", what, request->id, (int) request->role,
                 request->keep_connection ? " keep" : "");
        for (size_t i = 0; i < params_count(request->params); i++) {
                const Param *param = params_at(request->params, i);

                put_text(&r->trace, " ");
                put_escaped(&r->trace, param->name, param->name_size);
                put_text(&r->trace, "=");
                put_escaped(&r->trace, param->value, param->value_size);
        }
        put_text(&r->trace, "\n");
}

/* A reply is one record, aligned to 8 bytes: its type, request id and content. */
static void trace_reply(Reader *r, const FcgiItem *item)
{
        FcgiHeader header;

        assert_true(item->data.size >= FCGI_HEADER_SIZE);
        header = fcgi_decode_header(item->data.bytes);
        assert_int_equal(header.version, FCGI_VERSION_1);
        assert_int_equal(item->data.size % 8, 0);
        assert_int_equal(item->data.size, FCGI_HEADER_SIZE + header.content_size + header.padding_size);

        put_text(&r->trace, "reply type %u id %u ", header.type, header.request_id);
        put_escaped(&r->trace, item->data.bytes + FCGI_HEADER_SIZE, header.content_size);
        put_text(&r->trace, "%s\n", item->data.close ? " close" : "");
}

static void trace_event(Reader *r, int event, const FcgiItem *item)
{
        if (r->in_body && event != FCGI_BODY) {
                put_text(&r->trace, "\n");
                r->in_body = false;
        }

        switch (event) {
        case FCGI_REQUEST:
                trace_request(r, "request", &item->request);
                break;
        case FCGI_BODY:
                if (!r->in_body)
                        put_text(&r->trace, "body ");
                r->in_body = true;
                put_escaped(&r->trace, item->data.bytes, item->data.size);
                break;
        case FCGI_BODY_END:
                put_text(&r->trace, "end\n");
                break;
        case FCGI_ABORT:
                put_text(&r->trace, "abort\n");
                break;
        case FCGI_REPLY:
                trace_reply(r, item);
                break;
        case FCGI_TOO_LARGE:
                trace_request(r, "too large", &item->request);
                break;
        case FCGI_PAUSED:
                /* Only seen where finishing waits for it. */
                assert_int_equal(r->finish, FINISH_WHEN_PAUSED);
                break;
        case -EBADMSG:
                put_text(&r->trace, "malformed\n");
                break;
        default:
                fail_msg("Unexpected event %d", event);
        }
}

static void maybe_finish(Reader *r, int event)
{
        static const bool finishes[][FCGI_PAUSED + 1] = {
                [FINISH_AT_END] = { [FCGI_BODY_END] = true, [FCGI_ABORT] = true, [FCGI_TOO_LARGE] = true },
                [FINISH_WHEN_PAUSED] = { [FCGI_PAUSED] = true },
                [FINISH_AT_REQUEST] = { [FCGI_REQUEST] = true, [FCGI_TOO_LARGE] = true },
        };

        if (event >= 0 && finishes[r->finish][event])
                fcgi_decoder_finish(r->decoder);
}

/* Feeds one piece, from memory that holds nothing else, until all of it is used. False after an error. */
static bool feed(Reader *r, const uint8_t *bytes, size_t size)
{
        _cleanup_(freep) uint8_t *piece = malloc(MAX(size, 1U));
        size_t done = 0;

        assert_non_null(piece);
        memcpy(piece, bytes, size);
        for (;;) {
                size_t used = SIZE_MAX;
                FcgiItem item;
                int event;

                event = fcgi_decoder_next(r->decoder, piece + done, size - done, &used, &item);
                if (event == FCGI_NEED_MORE) {
                        assert_int_equal(used, size - done);
                        return true;
                }
                trace_event(r, event, &item);
                if (event < 0)
                        return false;

                assert_true(used <= size - done);
                if (event == FCGI_BODY) {
                        assert_true(item.data.size > 0 && item.data.bytes >= piece + done);
                        assert_true(item.data.bytes + item.data.size == piece + done + used);
                }
                done += used;
                maybe_finish(r, event);
        }
}

/* Where a conversation is cut: into pieces of one size, and once more at one place. */
typedef struct Cuts {
        size_t every;
        size_t at;
} Cuts;

static void feed_cut(Reader *r, const Buffer *wire, Cuts cuts)
{
        size_t done = 0;

        while (done < wire->size) {
                size_t n = MIN(wire->size - done, cuts.every);

                if (done < cuts.at && cuts.at < done + n)
                        n = cuts.at - done;
                if (!feed(r, wire->bytes + done, n))
                        break;
                done += n;
        }
        if (r->in_body)
                put_text(&r->trace, "\n");
}

static void assert_trace(const Buffer *wire, Finish finish, Cuts cuts, const char *expected)
{
        _cleanup_(reader_done) Reader r = reader(finish);

        feed_cut(&r, wire, cuts);
        assert_string_equal((const char *) r.trace.bytes, expected);
}

static void assert_trace_however_cut(const Buffer *wire, Finish finish, const char *expected)
{
        assert_trace(wire, finish, (Cuts) { .every = SIZE_MAX }, expected);
        for (size_t every = 1; every <= 17; every++)
                assert_trace(wire, finish, (Cuts) { .every = every }, expected);
        for (size_t at = 1; at < wire->size; at++)
                assert_trace(wire, finish, (Cuts) { .every = SIZE_MAX, .at = at }, expected);
}

typedef struct Record {
        uint8_t type;
        uint16_t id;
        const char *content;
        size_t size;
        uint8_t padding;
} Record;

#define REC(t, i, c) { .type = (t), .id = (i), .content = (c), .size = sizeof(c) - 1 }
#define PADDED(t, i, c, p) { .type = (t), .id = (i), .content = (c), .size = sizeof(c) - 1, .padding = (p) }
#define BEGIN(i) REC(FCGI_BEGIN_REQUEST, i, "\0\1\0\0\0\0\0\0")
#define BEGIN_KEEP(i) REC(FCGI_BEGIN_REQUEST, i, "\0\1\1\0\0\0\0\0")
#define BEGIN_ROLE(i, role, flags) REC(FCGI_BEGIN_REQUEST, i, role flags "\0\0\0\0\0")
#define PARAMS(i, c) REC(FCGI_PARAMS, i, c)
#define STDIN(i, c) REC(FCGI_STDIN, i, c)
#define ABORT(i) REC(FCGI_ABORT_REQUEST, i, "")

/* A whole request without a body. */
#define REQUEST(i) BEGIN_KEEP(i), PARAMS(i, "\1\1Ab"), PARAMS(i, ""), STDIN(i, "")
#define REQUEST_TRACE(i) "request " #i " role 1 keep A=b\nend\n"

#define CASE_RECORDS_MAX 24

typedef struct Case {
        const char *name;
        Record records[CASE_RECORDS_MAX]; /* up to the first of type 0 */
        const char *trace;
} Case;

static void put_case(Buffer *wire, const Case *c)
{
        for (const Record *r = c->records; r < c->records + CASE_RECORDS_MAX && r->type != 0; r++)
                put_record(wire, r->type, r->id, r->content, r->size, r->padding);
}

static void run_cases(const Case *cases, size_t n_cases, Finish finish)
{
        for (size_t i = 0; i < n_cases; i++) {
                _cleanup_(buffer_done) Buffer wire = {};

                print_message("  %s\n", cases[i].name);
                put_case(&wire, &cases[i]);
                assert_trace_however_cut(&wire, finish, cases[i].trace);
        }
}

static const Case request_cases[] = {
        { "a request",
          { BEGIN(1), PARAMS(1, "\1\3Abcd\2\0XY"), PARAMS(1, ""), STDIN(1, "hello"), STDIN(1, "") },
          "request 1 role 1 A=bcd XY=\nbody hello\nend\n" },
        { "padding everywhere",
          { PADDED(FCGI_BEGIN_REQUEST, 1, "\0\1\1\0\0\0\0\0", 255), PADDED(FCGI_PARAMS, 1, "\1\1Ab", 4),
            PADDED(FCGI_PARAMS, 1, "", 8), PADDED(FCGI_STDIN, 1, "hello", 3), PADDED(FCGI_STDIN, 1, "", 1),
            BEGIN(1) },
          "request 1 role 1 keep A=b\nbody hello\nend\n" },
        { "pairs split across records, in the lengths, the name and the value",
          { BEGIN(1), PARAMS(1, "\1"), PARAMS(1, "\1Ab\2"), PARAMS(1, "\3X"), PARAMS(1, "Yabc\200\0"),
            PARAMS(1, "\0\2"), PARAMS(1, "\200"), PARAMS(1, "\0\0\4LOlong\1\1"), PARAMS(1, "Zz"),
            PARAMS(1, ""), STDIN(1, "") },
          "request 1 role 1 A=b XY=abc LO=long Z=z\nend\n" },
        { "names and values of any bytes",
          { BEGIN(1), PARAMS(1, "\3\3A\0Bx\0y\0\0\0\1v\1\1A1\1\1A2\1\1\xff\x80"), PARAMS(1, ""),
            STDIN(1, "") },
          "request 1 role 1 A\\x00B=x\\x00y =v A=2 \\xff=\\x80\nend\n" },
        { "no parameters", { BEGIN(1), PARAMS(1, ""), STDIN(1, "") }, "request 1 role 1\nend\n" },
        { "a body in pieces",
          { BEGIN(1), PARAMS(1, ""), STDIN(1, "one "), PADDED(FCGI_STDIN, 1, "two ", 4), STDIN(1, "three"),
            STDIN(1, "") },
          "request 1 role 1\nbody one two three\nend\n" },
        { "other flags than KEEP_CONN, other roles, any id",
          { BEGIN_ROLE(65535, "\0\2", "\377"), PARAMS(65535, ""), STDIN(65535, ""),
            BEGIN_ROLE(256, "\0\3", "\376"), PARAMS(256, ""), STDIN(256, "") },
          "request 65535 role 2 keep\nend\nrequest 256 role 3\nend\n" },
        { "the data of a filter is skipped",
          { BEGIN_ROLE(1, "\0\3", "\1"), PARAMS(1, ""), REC(FCGI_DATA, 1, "early"), STDIN(1, "in"),
            REC(FCGI_DATA, 1, "file"), STDIN(1, ""), REC(FCGI_DATA, 1, "late"), REC(FCGI_DATA, 1, ""),
            REQUEST(1) },
          "request 1 role 3 keep\nbody in\nend\n" REQUEST_TRACE(1) },
        { "requests one behind the other", { REQUEST(1), REQUEST(1), REQUEST(2) },
          REQUEST_TRACE(1) REQUEST_TRACE(1) REQUEST_TRACE(2) },
        { "records before their request, and behind it",
          { PARAMS(1, "\1\1Xx"), PARAMS(1, ""), STDIN(1, "x"), ABORT(1), REQUEST(1), STDIN(1, "x"),
            STDIN(1, ""), PARAMS(1, "\1\1Xx"), REQUEST(2) },
          REQUEST_TRACE(1) REQUEST_TRACE(2) },
        { "records of other requests",
          { STDIN(7, "x"), BEGIN_KEEP(1), PARAMS(2, "\1\1Xx"), PARAMS(2, ""), PARAMS(1, "\1\1Ab"), ABORT(2),
            PARAMS(1, ""), STDIN(2, "x"), STDIN(2, ""), ABORT(257), STDIN(1, "") },
          REQUEST_TRACE(1) },
        { "types that only go the other way, and unknown ones",
          { BEGIN_KEEP(1), REC(FCGI_STDOUT, 1, "x"), REC(FCGI_END_REQUEST, 1, "\0\0\0\0\0\0\0\0"),
            PARAMS(1, "\1\1Ab"), REC(FCGI_STDERR, 1, ""), REC(12, 1, "x"), PARAMS(1, ""), REC(255, 1, "xyz"),
            STDIN(1, "") },
          REQUEST_TRACE(1) },
};

static void test_requests(void **state _unused_)
{
        run_cases(request_cases, ELEMENTSOF(request_cases), FINISH_AT_END);
        run_cases(request_cases, ELEMENTSOF(request_cases), FINISH_WHEN_PAUSED);
}

#define END_REQUEST_TRACE(i, status, rest)                                                                  \
        "reply type 3 id " #i " \\x00\\x00\\x00\\x00\\x0" #status "\\x00\\x00\\x00" rest "\n"
#define UNKNOWN_TYPE_TRACE(t) "reply type 11 id 0 \\x" t "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\n"
#define MPXS_TRACE "reply type 10 id 0 \\x0f\\x01FCGI_MPXS_CONNS0\n"

static const Case reply_cases[] = {
        { "GET_VALUES, as PHP-FPM 8.2 answers it",
          { REC(FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS") }, MPXS_TRACE },
        { "GET_VALUES of all names and an unknown one",
          { REC(FCGI_GET_VALUES, 0, "\16\0FCGI_MAX_CONNS\15\0FCGI_MAX_REQS\17\0FCGI_MPXS_CONNS\4\1NOPEx") },
          MPXS_TRACE },
        { "GET_VALUES that asks twice, with values and a long length",
          { PADDED(FCGI_GET_VALUES, 0, "\17\1FCGI_MPXS_CONNS1\200\0\0\17\0FCGI_MPXS_CONNS", 7) },
          MPXS_TRACE },
        { "GET_VALUES of nothing known",
          { REC(FCGI_GET_VALUES, 0, ""), REC(FCGI_GET_VALUES, 0, "\1\1Ab"),
            REC(FCGI_GET_VALUES, 0, "\20\0FCGI_MPXS_CONNS\0") },
          "reply type 10 id 0 \nreply type 10 id 0 \nreply type 10 id 0 \n" },
        { "GET_VALUES under a request id, as PHP-FPM takes it",
          { REC(FCGI_GET_VALUES, 5, "\17\0FCGI_MPXS_CONNS") }, MPXS_TRACE },
        { "GET_VALUES anywhere in a request",
          { REC(FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS"), BEGIN_KEEP(1), PARAMS(1, "\1"),
            REC(FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS"), PARAMS(1, "\1Ab"), PARAMS(1, ""),
            STDIN(1, "x"), REC(FCGI_GET_VALUES, 0, ""), STDIN(1, ""),
            REC(FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS"), REQUEST(1) },
          MPXS_TRACE MPXS_TRACE "request 1 role 1 keep A=b\nbody x\nreply type 10 id 0 \nend\n"
          MPXS_TRACE REQUEST_TRACE(1) },
        { "management records of unknown types, and others without a request id",
          { REC(12, 0, "hello"), PADDED(255, 0, "", 8), BEGIN(0), STDIN(0, ""),
            REC(FCGI_UNKNOWN_TYPE, 0, "x"), REQUEST(1) },
          UNKNOWN_TYPE_TRACE("0c") UNKNOWN_TYPE_TRACE("ff") UNKNOWN_TYPE_TRACE("01") UNKNOWN_TYPE_TRACE("05")
          UNKNOWN_TYPE_TRACE("0b") REQUEST_TRACE(1) },
        { "an unknown role on a kept connection",
          { BEGIN_ROLE(3, "\0\4", "\1"), PARAMS(3, "\1\1Xx"), PARAMS(3, ""), STDIN(3, "x"), STDIN(3, ""),
            REQUEST(3) },
          END_REQUEST_TRACE(3, 3, "") REQUEST_TRACE(3) },
        { "unknown roles on a connection to be closed",
          { BEGIN_ROLE(3, "\0\0", "\0"), BEGIN_ROLE(3, "\1\1", "\0") },
          END_REQUEST_TRACE(3, 3, " close") END_REQUEST_TRACE(3, 3, " close") },
        { "a second request beside the active one",
          { BEGIN_KEEP(1), BEGIN(2), PARAMS(1, "\1\1Ab"), PARAMS(2, "\1\1Xx"), PARAMS(2, ""), PARAMS(1, ""),
            BEGIN_ROLE(9, "\0\4", "\0"), STDIN(2, "x"), STDIN(2, ""), STDIN(1, ""), REQUEST(2) },
          END_REQUEST_TRACE(2, 1, "") "request 1 role 1 keep A=b\n" END_REQUEST_TRACE(9, 1, "") "end\n"
          REQUEST_TRACE(2) },
};

static void test_replies(void **state _unused_)
{
        run_cases(reply_cases, ELEMENTSOF(reply_cases), FINISH_AT_END);
        run_cases(reply_cases, ELEMENTSOF(reply_cases), FINISH_WHEN_PAUSED);
}

static const Case abort_cases[] = {
        { "aborted before its parameters",
          { BEGIN_KEEP(1), ABORT(1), REQUEST(1) }, END_REQUEST_TRACE(1, 0, "") REQUEST_TRACE(1) },
        { "aborted within a pair, on a connection to be closed",
          { BEGIN(1), PARAMS(1, "\1\1X"), ABORT(1), PARAMS(1, "x"), PARAMS(1, "") },
          END_REQUEST_TRACE(1, 0, " close") },
        { "nothing of an aborted request gets into the next",
          { BEGIN_KEEP(1), PARAMS(1, "\1\1Xx\1\1Y"), ABORT(1), REQUEST(1) },
          END_REQUEST_TRACE(1, 0, "") REQUEST_TRACE(1) },
        { "aborted before its body",
          { BEGIN(1), PARAMS(1, ""), ABORT(1), REQUEST(1) }, "request 1 role 1\nabort\n" REQUEST_TRACE(1) },
        { "aborted within its body, by a record with content; what is late is skipped",
          { BEGIN(1), PARAMS(1, ""), STDIN(1, "x"), PADDED(FCGI_ABORT_REQUEST, 1, "abc", 5), STDIN(1, "y"),
            STDIN(1, ""), ABORT(1), PARAMS(1, "x"), REQUEST(2) },
          "request 1 role 1\nbody x\nabort\n" REQUEST_TRACE(2) },
};

static void test_aborts(void **state _unused_)
{
        static const Case late = {
                "aborted while it runs", { REQUEST(1), ABORT(1), ABORT(1), REQUEST(1) },
                "request 1 role 1 keep A=b\nend\nabort\n" REQUEST_TRACE(1),
        };

        run_cases(abort_cases, ELEMENTSOF(abort_cases), FINISH_AT_END);
        run_cases(abort_cases, ELEMENTSOF(abort_cases), FINISH_WHEN_PAUSED);
        run_cases(&late, 1, FINISH_WHEN_PAUSED);
}

static const Case unread_cases[] = {
        { "the body of a request that was answered before",
          { BEGIN_KEEP(1), PARAMS(1, ""), STDIN(1, "unread"), STDIN(1, "too"), STDIN(1, ""), BEGIN_KEEP(1),
            PARAMS(1, "\1\1Ab"), PARAMS(1, ""), ABORT(1) },
          "request 1 role 1 keep\nrequest 1 role 1 keep A=b\n" },
};

static void test_unread_body_is_skipped(void **state _unused_)
{
        run_cases(unread_cases, ELEMENTSOF(unread_cases), FINISH_AT_REQUEST);
}

static const Case malformed_cases[] = {
        { "BEGIN_REQUEST too short", { REC(FCGI_BEGIN_REQUEST, 1, "\0\1\0\0\0\0\0") }, "malformed\n" },
        { "BEGIN_REQUEST too long", { REC(FCGI_BEGIN_REQUEST, 1, "\0\1\0\0\0\0\0\0\0") }, "malformed\n" },
        { "BEGIN_REQUEST empty", { REC(FCGI_BEGIN_REQUEST, 1, "") }, "malformed\n" },
        { "BEGIN_REQUEST again", { BEGIN(1), BEGIN(1) }, "malformed\n" },
        { "BEGIN_REQUEST again within the body",
          { BEGIN(1), PARAMS(1, ""), STDIN(1, "x"), BEGIN(1) }, "request 1 role 1\nbody x\nmalformed\n" },
        { "PARAMS end within a length", { BEGIN(1), PARAMS(1, "\200"), PARAMS(1, "") }, "malformed\n" },
        { "PARAMS end behind a length", { BEGIN(1), PARAMS(1, "\1\1Ab\1"), PARAMS(1, "") }, "malformed\n" },
        { "PARAMS end within a name", { BEGIN(1), PARAMS(1, "\2\0A"), PARAMS(1, "") }, "malformed\n" },
        { "PARAMS end within a value", { BEGIN(1), PARAMS(1, "\1\2AB"), PARAMS(1, "") }, "malformed\n" },
        { "PARAMS after their end",
          { BEGIN(1), PARAMS(1, ""), PARAMS(1, "") }, "request 1 role 1\nmalformed\n" },
        { "STDIN before PARAMS", { BEGIN(1), STDIN(1, "x") }, "malformed\n" },
        { "STDIN ends before PARAMS", { BEGIN(1), PARAMS(1, "\1\1Ab"), STDIN(1, "") }, "malformed\n" },
        { "GET_VALUES ends within a name", { REC(FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_") }, "malformed\n" },
        { "GET_VALUES ends within a length", { REC(FCGI_GET_VALUES, 0, "\0\200\0\0") }, "malformed\n" },
};

static void test_malformed(void **state _unused_)
{
        run_cases(malformed_cases, ELEMENTSOF(malformed_cases), FINISH_AT_END);
}

static void test_versions(void **state _unused_)
{
        static const uint8_t versions[] = { 0, 2, 'G', 255 };

        for (size_t i = 0; i < ELEMENTSOF(versions); i++) {
                _cleanup_(buffer_done) Buffer wire = {};

                put_record(&wire, FCGI_BEGIN_REQUEST, 1, "\0\1\0\0\0\0\0\0", 8, 0);
                wire.bytes[0] = versions[i];
                assert_trace_however_cut(&wire, FINISH_AT_END, "malformed\n");
        }
}

static void test_get_values_bound(void **state _unused_)
{
        static const uint8_t content[FCGI_GET_VALUES_MAX + 2]; /* pairs of an empty name and value */
        _cleanup_(buffer_done) Buffer fits = {}, beyond = {};

        put_record(&fits, FCGI_GET_VALUES, 0, content, FCGI_GET_VALUES_MAX, 0);
        assert_trace_however_cut(&fits, FINISH_AT_END, "reply type 10 id 0 \n");
        put_record(&beyond, FCGI_GET_VALUES, 0, content, FCGI_GET_VALUES_MAX + 2, 0);
        assert_trace_however_cut(&beyond, FINISH_AT_END, "malformed\n");
}

/* All tables in one conversation, without the cases that end it. */
static void test_conversation(void **state _unused_)
{
        static const struct {
                const Case *cases;
                size_t n;
        } tables[] = {
                { request_cases, ELEMENTSOF(request_cases) },
                { reply_cases, ELEMENTSOF(reply_cases) },
                { abort_cases, ELEMENTSOF(abort_cases) },
        };
        _cleanup_(buffer_done) Buffer wire = {}, trace = {};

        for (size_t i = 0; i < ELEMENTSOF(tables); i++)
                for (size_t j = 0; j < tables[i].n; j++) {
                        const Case *c = &tables[i].cases[j];

                        /* One ends within a request. */
                        if (strstr(c->name, "padding everywhere"))
                                continue;
                        put_case(&wire, c);
                        put(&trace, c->trace, strlen(c->trace));
                }

        assert_trace_however_cut(&wire, FINISH_AT_END, (const char *) trace.bytes);
        assert_trace_however_cut(&wire, FINISH_WHEN_PAUSED, (const char *) trace.bytes);
}

/* A pair of which only the lengths are sent; they are written in four bytes each. */
static void put_lengths(Buffer *b, uint32_t name_size, uint32_t value_size)
{
        const uint32_t sizes[] = { name_size, value_size };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++)
                for (int shift = 24; shift >= 0; shift -= 8)
                        put(b, &(uint8_t) { (uint8_t) (sizes[i] >> shift | (shift == 24 ? 0x80U : 0)) }, 1);
}

static void test_lengths_too_large(void **state _unused_)
{
        static const struct {
                uint32_t name_size, value_size;
        } cases[] = {
                { PARAMS_SIZE_MAX, 1 }, { 1, PARAMS_SIZE_MAX }, { 0, PARAMS_SIZE_MAX + 1 },
                { INT32_MAX, 0 }, { 0, INT32_MAX }, { INT32_MAX, INT32_MAX },
        };
        static const Case rest = {
                .records = { PARAMS(1, "skipped"), PARAMS(1, ""), STDIN(1, "x"), STDIN(1, ""), ABORT(1),
                             REQUEST(1) },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(buffer_done) Buffer wire = {}, content = {};

                put(&content, "\1\1Ab", 4);
                put_lengths(&content, cases[i].name_size, cases[i].value_size);
                put(&content, "skipped", 7);
                put_record(&wire, FCGI_BEGIN_REQUEST, 1, "\0\1\1\0\0\0\0\0", 8, 0);
                put_record(&wire, FCGI_PARAMS, 1, content.bytes, content.size, 5);
                put_case(&wire, &rest);

                assert_trace_however_cut(&wire, FINISH_AT_END, "too large 1 role 1 keep\n" REQUEST_TRACE(1));
                assert_trace_however_cut(&wire, FINISH_WHEN_PAUSED,
                                         "too large 1 role 1 keep\nend\n" REQUEST_TRACE(1));
        }
}

/* Parameters that are too many, or too many bytes together, are only known as such when they are there. */
static void test_params_too_large(void **state _unused_)
{
        static const struct {
                size_t n_pairs, value_size;
                bool fits;
        } cases[] = {
                { PARAMS_COUNT_MAX, 0, true },
                { PARAMS_COUNT_MAX + 1, 0, false },
                { 16, PARAMS_SIZE_MAX / 16 - 8 - 2, true },
                { 16, PARAMS_SIZE_MAX / 16 - 8 - 1, false },
                { 1, PARAMS_SIZE_MAX - 8 - 2, true },
                { 1, PARAMS_SIZE_MAX - 8 - 1, false },
        };
        _cleanup_(freep) char *value = malloc(PARAMS_SIZE_MAX);

        assert_non_null(value);
        memset(value, 'v', PARAMS_SIZE_MAX);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(reader_done) Reader whole = reader(FINISH_WHEN_PAUSED);
                _cleanup_(reader_done) Reader cut = reader(FINISH_WHEN_PAUSED);
                _cleanup_(buffer_done) Buffer content = {}, wire = {};

                for (size_t j = 0; j < cases[i].n_pairs; j++) {
                        put_lengths(&content, 8, (uint32_t) cases[i].value_size);
                        put_text(&content, "NAME%04zu", j);
                        put(&content, value, cases[i].value_size);
                }
                put_record(&wire, FCGI_BEGIN_REQUEST, 1, "\0\1\1\0\0\0\0\0", 8, 0);
                for (size_t done = 0; done < content.size; done += MIN(content.size - done, 65535U))
                        put_record(&wire, FCGI_PARAMS, 1, content.bytes + done,
                                   MIN(content.size - done, 65535U), 0);
                put_record(&wire, FCGI_PARAMS, 1, NULL, 0, 0);

                feed_cut(&whole, &wire, (Cuts) { .every = SIZE_MAX });
                feed_cut(&cut, &wire, (Cuts) { .every = 1009 });
                assert_int_equal(whole.trace.size, cut.trace.size);
                assert_memory_equal(whole.trace.bytes, cut.trace.bytes, cut.trace.size);
                if (cases[i].fits)
                        assert_memory_equal(whole.trace.bytes, "request 1 role 1 keep NAME0000=", 31);
                else
                        assert_string_equal((const char *) whole.trace.bytes, "too large 1 role 1 keep\n");
        }
}

static void test_largest_records(void **state _unused_)
{
        _cleanup_(reader_done) Reader r = reader(FINISH_AT_END);
        _cleanup_(buffer_done) Buffer wire = {};
        static uint8_t body[FCGI_CONTENT_MAX];

        memset(body, 'x', sizeof body);
        put_record(&wire, FCGI_BEGIN_REQUEST, 1, "\0\1\1\0\0\0\0\0", 8, 0);
        put_record(&wire, FCGI_PARAMS, 1, NULL, 0, 0);
        put_record(&wire, FCGI_STDIN, 1, body, sizeof body, 255);
        put_record(&wire, FCGI_STDIN, 1, body, sizeof body, 255);
        put_record(&wire, FCGI_STDIN, 1, NULL, 0, 0);
        feed_cut(&r, &wire, (Cuts) { .every = 4096 });

        assert_int_equal(r.trace.size, strlen("request 1 role 1 keep\nbody \nend\n") + 2 * sizeof body);
}

/* One call, of which all bytes are expected to be used. */
static int next(FcgiDecoder *d, const Buffer *wire, size_t from, size_t to)
{
        FcgiItem item;
        size_t used;
        int r;

        r = fcgi_decoder_next(d, wire->bytes + from, to - from, &used, &item);
        if (r >= 0)
                assert_int_equal(used, to - from);
        return r;
}

static void test_busy(void **state _unused_)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer wire = {};
        static const Case c = { .records = { REQUEST(1), PADDED(FCGI_STDIN, 9, "late", 4) } };
        size_t end;

        assert_int_equal(fcgi_decoder_new(&d), 0);
        assert_false(fcgi_decoder_busy(d));
        put_case(&wire, &c);
        end = wire.size - 16;

        /* From the first byte on, through the event at the end, until it is answered. */
        for (size_t i = 0; i < end; i++) {
                (void) next(d, &wire, i, i + 1);
                assert_true(fcgi_decoder_busy(d));
        }
        fcgi_decoder_finish(d);
        assert_false(fcgi_decoder_busy(d));

        /* A record that means nothing makes it busy too, while it is being taken. */
        for (size_t i = end; i < wire.size; i++) {
                assert_int_equal(next(d, &wire, i, i + 1), FCGI_NEED_MORE);
                assert_int_equal(fcgi_decoder_busy(d), i + 1 < wire.size);
        }
}

static void test_paused(void **state _unused_)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer wire = {};
        static const Case c = { .records = { REQUEST(1), BEGIN(2), PARAMS(2, ""), STDIN(2, "") } };
        const size_t first = 8 + 8 + 8 + 4 + 8 + 8; /* the size of REQUEST */
        const uint8_t *p, *end;
        FcgiItem item;
        size_t used;

        assert_int_equal(fcgi_decoder_new(&d), 0);
        put_case(&wire, &c);
        p = wire.bytes;
        end = p + wire.size;
        assert_int_equal(fcgi_decoder_next(d, p, (size_t) (end - p), &used, &item), FCGI_REQUEST);
        p += used;
        assert_int_equal(fcgi_decoder_next(d, p, (size_t) (end - p), &used, &item), FCGI_BODY_END);
        p += used;
        assert_ptr_equal(p, wire.bytes + first);

        /* It stays so, and takes nothing beyond the header, until the active request is answered. */
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(fcgi_decoder_next(d, p, (size_t) (end - p), &used, &item), FCGI_PAUSED);
                p += used;
                assert_ptr_equal(p, wire.bytes + first + FCGI_HEADER_SIZE);
        }
        assert_int_equal(fcgi_decoder_next(d, NULL, 0, &used, &item), FCGI_PAUSED);
        fcgi_decoder_finish(d);
        assert_true(fcgi_decoder_busy(d));
        assert_int_equal(fcgi_decoder_next(d, NULL, 0, &used, &item), FCGI_NEED_MORE);
        assert_int_equal(fcgi_decoder_next(d, p, (size_t) (end - p), &used, &item), FCGI_REQUEST);
        assert_int_equal(item.request.id, 2);
        assert_int_equal(params_count(item.request.params), 0);
}

static void test_error_sticks_until_reset(void **state _unused_)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer bad = {}, good = {};
        static const Case bad_case = { .records = { BEGIN(1), PARAMS(1, "\1\1Xx\1"), STDIN(1, "x") } };
        static const Case good_case = { .records = { REQUEST(1) } };
        size_t used = 77;
        FcgiItem item;

        assert_int_equal(fcgi_decoder_new(&d), 0);
        put_case(&bad, &bad_case);
        put_case(&good, &good_case);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(fcgi_decoder_next(d, bad.bytes, bad.size, &used, &item), -EBADMSG);
                assert_int_equal(fcgi_decoder_next(d, good.bytes, good.size, &used, &item), -EBADMSG);
                fcgi_decoder_finish(d);
                assert_int_equal(fcgi_decoder_next(d, NULL, 0, &used, &item), -EBADMSG);
                assert_int_equal(used, 77);
                fcgi_decoder_reset(d);
                assert_false(fcgi_decoder_busy(d));
        }
        assert_int_equal(fcgi_decoder_next(d, good.bytes, good.size, &used, &item), FCGI_REQUEST);
        assert_int_equal(params_count(item.request.params), 1);
        assert_string_equal(params_get(item.request.params, "A", NULL), "b");
}

/* A decoder that is reset at any place of a conversation knows nothing of it. */
static void test_reset_anywhere(void **state _unused_)
{
        static const Case c = {
                .records = { BEGIN_KEEP(1), PARAMS(1, "\1\1Xx\2\2Y"), REC(FCGI_GET_VALUES, 0, "\1\1Ab"),
                             PARAMS(1, "Zab"), PARAMS(1, ""), STDIN(1, "body"), STDIN(1, ""), REQUEST(2) },
        };
        static const Case good_case = { .records = { REQUEST(1) } };
        _cleanup_(buffer_done) Buffer wire = {}, good = {};

        put_case(&wire, &c);
        put_case(&good, &good_case);
        for (size_t i = 0; i < wire.size; i++) {
                _cleanup_(reader_done) Reader r = reader(FINISH_WHEN_PAUSED);

                assert_true(feed(&r, wire.bytes, i));
                fcgi_decoder_reset(r.decoder);
                assert_false(fcgi_decoder_busy(r.decoder));
                r.trace.size = 0;
                r.in_body = false;
                assert_true(feed(&r, good.bytes, good.size));
                assert_string_equal((const char *) r.trace.bytes, REQUEST_TRACE(1));
        }
}

static void test_params_may_be_changed(void **state _unused_)
{
        _cleanup_(fcgi_decoder_freep) FcgiDecoder *d = NULL;
        _cleanup_(buffer_done) Buffer wire = {};
        static const Case c = { .records = { REQUEST(1) } };
        FcgiItem item;
        Params *params;
        size_t used;

        assert_int_equal(fcgi_decoder_new(&d), 0);
        put_case(&wire, &c);
        assert_int_equal(fcgi_decoder_next(d, wire.bytes, wire.size, &used, &item), FCGI_REQUEST);
        params = item.request.params;
        assert_int_equal(params_set(params, "FCGI_ROLE", 9, "RESPONDER", 9), 0);
        assert_int_equal(next(d, &wire, used, wire.size), FCGI_BODY_END);
        assert_string_equal(params_get(params, "FCGI_ROLE", NULL), "RESPONDER");
        fcgi_decoder_finish(d);
        assert_int_equal(params_count(params), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_requests),
                cmocka_unit_test(test_replies),
                cmocka_unit_test(test_aborts),
                cmocka_unit_test(test_unread_body_is_skipped),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_versions),
                cmocka_unit_test(test_get_values_bound),
                cmocka_unit_test(test_conversation),
                cmocka_unit_test(test_lengths_too_large),
                cmocka_unit_test(test_params_too_large),
                cmocka_unit_test(test_largest_records),
                cmocka_unit_test(test_busy),
                cmocka_unit_test(test_paused),
                cmocka_unit_test(test_error_sticks_until_reset),
                cmocka_unit_test(test_reset_anywhere),
                cmocka_unit_test(test_params_may_be_changed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
