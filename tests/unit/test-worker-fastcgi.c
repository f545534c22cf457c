/* SPDX-License-Identifier: MIT */

/*
 * The FastCGI transport over a socket pair, without PHP: the test is the web server and, between
 * connection_next() and connection_settle(), the script.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "helpers/child.h"
#include "helpers/connection.h"
#include "helpers/fastcgi.h"
#include "helpers/fds.h"
#include "helpers/handoff.h"
#include "helpers/text.h"
#include "worker/request/wait.h"
#include "worker/transport/fastcgi-connection.h"
#include "worker/transport/fastcgi.h"
#include "worker/transport/output.h"

#define LONG_TIMEOUT (60 * USEC_PER_SEC)
#define SHORT_TIMEOUT (20 * USEC_PER_MSEC)

#define HEADERS "Content-type: text/plain\r\n\r\n"

typedef struct Fixture {
        HookCalls calls; /* the first member: it is the hooks' userdata */
        ConnectionHooks hooks;
        Connection *connection;
        int client;
        size_t fds_before;
        Bytes late; /* sent when the first bytes have been read */
} Fixture;

static void on_reading(void *userdata)
{
        Fixture *f = userdata;

        counting_hooks.reading(&f->calls);
        if (f->late.size > 0)
                send_bytes(f->client, &f->late);
        bytes_clear(&f->late);
}

/* What was logged since the last time. */
static int log_fd;

static void expect_said(const char *text)
{
        char said[4096] = "";

        assert_true(pread(log_fd, said, sizeof said - 1, 0) >= 0);
        assert_int_equal(ftruncate(log_fd, 0), 0);
        assert_has(said, text);
}

/* Nothing more fits the way to the client. */
static void fill(Fixture *f)
{
        static const char bytes[100000];

        while (send(connection_fd(f->connection), bytes, sizeof bytes, MSG_DONTWAIT) > 0)
                ;
}

/* The script has ended. */
static void finish_request(Connection *connection)
{
        connection_settle(connection);
        connection_done(connection);
}

static void fixture_connect(Fixture *f)
{
        int pair[2];

        fd_close(f->client);
        open_stream(pair);
        assert_int_equal(fd_nonblock(pair[1], true), 0);
        f->client = pair[0];
        connection_open(f->connection, pair[1], &ORIGIN_UNIX);
}

static void fixture_open(Fixture *f, usec_t header_timeout)
{
        *f = (Fixture) { .hooks = counting_hooks, .fds_before = count_fds(), .client = -EBADF };
        f->hooks.reading = on_reading;
        assert_int_equal(connection_new(&fastcgi_transport, header_timeout, &f->hooks, f, &f->connection),
                         0);
        assert_int_equal(connection_fd(f->connection), -EBADF);
        fixture_connect(f);
}

static void fixture_close(Fixture *f)
{
        connection_free(f->connection);
        fd_close(f->client);
        bytes_clear(&f->late);
        assert_int_equal(count_fds(), f->fds_before);
}

static void client_sends(Fixture *f, Bytes *b)
{
        send_bytes(f->client, b);
        bytes_clear(b);
}

/* Waits for the rest of a head, as long as there is time for it. */
static int next_verdict(Fixture *f, Request **ret)
{
        int r;

        while ((r = connection_next(f->connection, ret)) == CONNECTION_PARTIAL)
                (void) wait_for(connection_fd(f->connection), POLLIN, connection_deadline(f->connection));
        return r;
}

static Request *next_request(Fixture *f)
{
        Request *request = NULL;

        assert_int_equal(next_verdict(f, &request), CONNECTION_REQUEST);
        assert_non_null(request);
        return request;
}

static void expect_verdict(Fixture *f, ConnectionVerdict verdict)
{
        Request *request;

        assert_int_equal(next_verdict(f, &request), verdict);
}

static void say(Request *request, const char *text)
{
        assert_int_equal(request_write(request, text, strlen(text)), 0);
}

/* Serves one request with a tiny script, and checks every byte that comes of it. */
static void serve_hello(Fixture *f, uint16_t id)
{
        Request *request = next_request(f);
        Bytes expected = {};

        say(request, HEADERS);
        say(request, "hello\n");
        finish_request(f->connection);

        add_record(&expected, FCGI_STDOUT, id, HEADERS "hello\n", strlen(HEADERS "hello\n"));
        add_end(&expected, id);
        expect_bytes(f->client, &expected);
        bytes_clear(&expected);
}

/* ---- Answers ---- */

static void test_small_answer(void **state _unused_)
{
        /* As php8.2-fpm sends it: padded to 8, no empty STDOUT record. */
        static const uint8_t expected[] = "\1\6\0\1\0\42\6\0" HEADERS "hello\n"
                                          "\0\0\0\0\0\0"
                                          "\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0";
        Bytes b = {}, answer = { (uint8_t *) expected, sizeof expected };
        Request *request;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 1, false, NULL, 0, 0);
        client_sends(&f, &b);

        request = next_request(&f);
        assert_true(request->unix_socket);
        assert_string_equal(params_get(request->params, "SCRIPT_NAME", NULL), "/a.php");
        assert_string_equal(params_get(request->params, "FCGI_ROLE", NULL), "RESPONDER");
        assert_int_equal(f.calls.reading, 1);

        request_script_known(request, "/srv/a.php");
        assert_string_equal(f.calls.script, "/srv/a.php");
        say(request, HEADERS "hello\n");
        expect_nothing(f.client); /* gathered */
        assert_int_equal(request_finish(request), 0);
        assert_int_equal(request->answer, ANSWER_ENDED);
        assert_int_equal(f.calls.finishing, 1);
        assert_int_equal(f.calls.closing, 1);
        assert_int_equal(connection_fd(f.connection), -EBADF);

        say(request, "dropped");
        assert_int_equal(request_flush(request), 0);
        assert_int_equal(request_finish(request), 0);
        assert_string_equal(params_get(request->params, "SCRIPT_NAME", NULL), "/a.php");
        finish_request(f.connection);
        assert_int_equal(f.calls.finishing, 1);

        expect_bytes(f.client, &answer);
        expect_eof(f.client);
        fixture_close(&f);
}

/* From a signal handler: while nothing of the answer has left, and only then. */
static void test_give_up(void **state _unused_)
{
        Bytes b = {}, part = {};
        Request *request;
        uint8_t got[512];
        ssize_t n;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 7, true, NULL, 0, 0);
        client_sends(&f, &b);
        request = next_request(&f);
        say(request, HEADERS "gathered, never sent");
        connection_give_up(f.connection);
        n = recv(f.client, got, sizeof got, 0);
        assert_true(n > FCGI_HEADER_SIZE + FCGI_END_REQUEST_SIZE);
        assert_int_equal(got[3], 7);
        assert_memory_equal(got + FCGI_HEADER_SIZE, "Status: 504 ", 12);
        assert_int_equal(got[n - FCGI_END_REQUEST_SIZE + 1], FCGI_END_REQUEST);

        assert_int_equal(request_flush(request), 0);
        add_record(&part, FCGI_STDOUT, 7, HEADERS "gathered, never sent",
                   strlen(HEADERS "gathered, never sent"));
        expect_bytes(f.client, &part);
        connection_give_up(f.connection);
        expect_nothing(f.client);
        assert_int_equal(request_finish(request), 0);
        connection_give_up(f.connection);
        fixture_close(&f);
        bytes_clear(&part);
}

static void test_streams_in_order(void **state _unused_)
{
        Bytes b = {}, expected = {};
        Request *request;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 77, false, NULL, 0, 0);
        client_sends(&f, &b);

        request = next_request(&f);
        say(request, "a");
        assert_int_equal(request_write_error(request, "oops", 4), 0);
        assert_int_equal(request_write_error(request, "", 0), 0);
        say(request, "b");
        say(request, "c");
        finish_request(f.connection);

        add_record(&expected, FCGI_STDOUT, 77, "a", 1);
        add_record(&expected, FCGI_STDERR, 77, "oops", 4);
        add_record(&expected, FCGI_STDOUT, 77, "bc", 2);
        add_end(&expected, 77);
        expect_bytes(f.client, &expected);
        expect_eof(f.client);
        bytes_clear(&expected);
        fixture_close(&f);
}

/* The head stands in front of the body as CGI has it, however its status is said and however large it is. */
static void test_head(void **state _unused_)
{
        static char large[OUTPUT_BUFFER_SIZE];
        const HeadField type = { "X-A: b", 6 }, status = { "Status: 201", 11 };
        const HeadField much = { large, sizeof large };
        const struct {
                Head head;
                const char *bytes;
        } cases[] = {
                { { 200, HEAD_STATUS_UNSAID, NULL, &type, 1 }, "X-A: b\r\n\r\n" },
                { { 200, HEAD_STATUS_UNSAID, NULL, NULL, 0 }, "\r\n" },
                { { 404, HEAD_STATUS_FIELD, " 404 Gone Fishing", &type, 1 },
                  "Status: 404 Gone Fishing\r\nX-A: b\r\n\r\n" },
                { { 404, HEAD_STATUS_LINE, "HTTP/1.1 404 No", &type, 1 },
                  "HTTP/1.1 404 No\r\nX-A: b\r\n\r\n" },
                { { 201, HEAD_STATUS_AMONG, NULL, &status, 1 }, "Status: 201\r\n\r\n" },
                { { 200, HEAD_STATUS_UNSAID, NULL, &much, 1 }, NULL },
        };
        Fixture f;

        memset(large, 'L', sizeof large);
        fixture_open(&f, LONG_TIMEOUT);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Bytes b = {}, expected = {};
                Request *request;

                add_request(&b, 1, true, NULL, 0, 0);
                client_sends(&f, &b);
                request = next_request(&f);
                assert_int_equal(request_write_head(request, &cases[i].head), 0);
                if (cases[i].bytes) {
                        say(request, "body");
                        finish_request(f.connection);
                        bytes_add(&expected, cases[i].bytes, strlen(cases[i].bytes));
                        bytes_add(&expected, "body", 4);
                        add_record(&b, FCGI_STDOUT, 1, expected.data, expected.size);
                } else {
                        finish_request(f.connection);
                        add_record(&b, FCGI_STDOUT, 1, large, sizeof large);
                        add_record(&b, FCGI_STDOUT, 1, "\r\n\r\n", 4);
                }
                add_end(&b, 1);
                expect_bytes(f.client, &b);
                bytes_clear(&b);
                bytes_clear(&expected);
        }
        fixture_close(&f);
}

static void test_flush(void **state _unused_)
{
        Bytes b = {}, expected = {};
        Request *request;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 1, false, NULL, 0, 0);
        client_sends(&f, &b);

        request = next_request(&f);
        assert_int_equal(request_flush(request), 0);
        expect_nothing(f.client);
        assert_int_equal(f.calls.progress, 0);
        say(request, "a");
        assert_int_equal(request_flush(request), 0);
        assert_int_equal(f.calls.progress, 1);
        add_record(&expected, FCGI_STDOUT, 1, "a", 1);
        expect_bytes(f.client, &expected);
        finish_request(f.connection);
        bytes_clear(&expected);
        add_end(&expected, 1);
        expect_bytes(f.client, &expected);
        bytes_clear(&expected);
        fixture_close(&f);
}

/* ---- Requests ---- */

static void test_input_split_anywhere(void **state _unused_)
{
        Bytes whole = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&whole, 5, true, NULL, 0, 0);
        for (size_t i = 1; i < whole.size; i++) {
                Bytes first = {};

                bytes_add(&first, whole.data, i);
                bytes_add(&f.late, whole.data + i, whole.size - i);
                client_sends(&f, &first);
                serve_hello(&f, 5);
                if (connection_pending(f.connection))
                        expect_verdict(&f, CONNECTION_IDLE);
                assert_int_equal(f.late.size, 0);
        }
        /* What came behind the last PARAMS may not have been read yet: it concerns no request any more. */
        expect_verdict(&f, CONNECTION_IDLE);
        assert_false(connection_pending(f.connection));
        bytes_clear(&whole);
        fixture_close(&f);
}

static void test_two_requests_in_one_write(void **state _unused_)
{
        Origin origin;
        Bytes b = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 1, true, NULL, 0, 0);
        add_request(&b, 2, true, NULL, 0, 0);
        client_sends(&f, &b);

        serve_hello(&f, 1);
        assert_true(connection_pending(f.connection));
        serve_hello(&f, 2);
        assert_int_equal(f.calls.closing, 0);
        assert_false(connection_pending(f.connection));
        expect_verdict(&f, CONNECTION_IDLE);

        fd_close(f.client);
        f.client = -EBADF;
        expect_verdict(&f, CONNECTION_ENDED);
        assert_int_equal(connection_save(f.connection, &origin), 0);
        assert_true(origin.unix_socket && origin.head < 0);
        fixture_close(&f);
}

/* Padding shows nothing of an earlier answer (php8.2-fpm's does, in END_REQUEST). */
static void test_padding_is_zero(void **state _unused_)
{
        Request *request;
        char secret[200];
        Bytes b = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        memset(secret, 'S', sizeof secret);
        for (uint16_t id = 1; id <= 2; id++)
                add_request(&b, id, true, NULL, 0, 0);
        client_sends(&f, &b);

        request = next_request(&f);
        assert_int_equal(request_write(request, secret, sizeof secret), 0);
        finish_request(f.connection);
        receive_bytes(f.client, &b, FCGI_HEADER_SIZE + sizeof secret + FCGI_END_REQUEST_SIZE);
        serve_hello(&f, 2);
        bytes_clear(&b);
        fixture_close(&f);
}

static void test_one_object_for_many_sockets(void **state _unused_)
{
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        for (unsigned i = 0; i < 3; i++) {
                Bytes b = {};

                add_request(&b, 1, false, NULL, 0, 0);
                client_sends(&f, &b);
                serve_hello(&f, 1);
                expect_eof(f.client);
                fixture_connect(&f);

                /* One is left with half a request; nothing of it stays. */
                add_head(&b, 9, FCGI_RESPONDER, true);
                b.size -= 5;
                client_sends(&f, &b);
                fd_close(f.client);
                f.client = -EBADF;
                expect_verdict(&f, CONNECTION_ENDED);
                connection_close(f.connection);
                fixture_connect(&f);
        }
        fixture_close(&f);
}

static void test_roles(void **state _unused_)
{
        static const char *const names[] = { "RESPONDER", "AUTHORIZER", "FILTER" };
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        for (unsigned role = FCGI_RESPONDER; role <= FCGI_FILTER; role++) {
                Bytes b = {};
                Request *request;

                add_head(&b, 1, (FcgiRole) role, true);
                client_sends(&f, &b);
                request = next_request(&f);
                assert_string_equal(params_get(request->params, "FCGI_ROLE", NULL), names[role - 1]);
                finish_request(f.connection);
        }
        fixture_close(&f);
}

static void test_silence_and_end(void **state _unused_)
{
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        expect_verdict(&f, CONNECTION_IDLE);
        assert_int_equal(f.calls.reading, 0);
        fd_close(f.client);
        f.client = -EBADF;
        expect_verdict(&f, CONNECTION_ENDED);
        fixture_close(&f);
}

static void test_header_timeout(void **state _unused_)
{
        usec_t begin = now_monotonic();
        Bytes b = {};
        Fixture f;

        fixture_open(&f, SHORT_TIMEOUT);
        expect_verdict(&f, CONNECTION_IDLE); /* silence is no request */
        add_head(&b, 1, FCGI_RESPONDER, true);
        b.size--;
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_ENDED);
        assert_true(now_monotonic() - begin >= SHORT_TIMEOUT);
        assert_int_equal(f.calls.closing, 1);
        expect_said("A client sent part of a request only, within request.header_timeout");
        assert_int_equal(f.calls.late, 1);
        fixture_close(&f);
}

/* What a client has sent in time is served, however late it is read, and however much it is. */
static void test_large_head_that_is_read_late(void **state _unused_)
{
        static char cookie[100000];
        Params *params = NULL;
        Bytes b = {}, first = {}, rest = {};
        Request *request;
        Fixture f;

        memset(cookie, 'c', sizeof cookie - 1);
        assert_int_equal(params_new(&params), 0);
        set_param(params, "HTTP_COOKIE", cookie);
        fixture_open(&f, SHORT_TIMEOUT);
        add_head_of(&b, 1, FCGI_RESPONDER, true, params);
        bytes_add(&first, b.data, 10);
        bytes_add(&rest, b.data + 10, b.size - 10);
        client_sends(&f, &first);
        assert_int_equal(connection_next(f.connection, &request), CONNECTION_PARTIAL);
        client_sends(&f, &rest);
        while (now_monotonic() <= connection_deadline(f.connection))
                ;
        assert_int_equal(connection_next(f.connection, &request), CONNECTION_REQUEST);
        assert_string_equal(params_get(request->params, "HTTP_COOKIE", NULL), cookie);
        add_record(&first, FCGI_STDIN, 1, NULL, 0);
        client_sends(&f, &first);
        finish_request(f.connection);

        b.size -= 1; /* the next one lacks its last byte */
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_ENDED);
        expect_said("A client sent part of a request only, within request.header_timeout");
        assert_int_equal(f.calls.late, 1);
        params_free(params);
        fixture_close(&f);
}

static void test_malformed(void **state _unused_)
{
        Bytes b = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        bytes_add(&b, "GET / HTTP/1.1\r\n\r\n", 18);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_ENDED);
        fixture_close(&f);
}

/* ---- From worker to worker ---- */

/* What was read of the connection goes with it, as it would to another process. */
static void move_connection(Fixture *f)
{
        Origin origin;
        int fd;

        assert_int_equal(connection_save(f->connection, &origin), 0);
        fd = dup(connection_fd(f->connection));
        assert_true(fd >= 0);
        connection_close(f->connection);
        assert_int_equal(connection_open(f->connection, fd, &origin), 0);
}

/* Wherever two requests in a row are cut, the connection can change hands there. */
static void test_moved_anywhere(void **state _unused_)
{
        static const char cookie[] = "\13\3HTTP_COOKIEa=b";
        Bytes whole = {};
        Fixture f;

        add_record(&whole, FCGI_GET_VALUES, 0, NULL, 0);
        add_begin(&whole, 5, FCGI_RESPONDER, true);
        for (size_t i = 0; i + 1 < sizeof cookie; i += 5)
                add_record(&whole, FCGI_PARAMS, 5, cookie + i, MIN(sizeof cookie - 1 - i, 5U));
        add_record(&whole, FCGI_PARAMS, 5, NULL, 0);
        add_record(&whole, FCGI_STDIN, 5, NULL, 0);
        add_request(&whole, 6, true, NULL, 0, 0);

        fixture_open(&f, LONG_TIMEOUT);
        for (size_t i = 1; i < whole.size; i++) {
                Bytes first = {}, rest = {};
                Request *request = NULL;
                int r;

                bytes_add(&first, whole.data, i);
                bytes_add(&rest, whole.data + i, whole.size - i);
                client_sends(&f, &first);
                r = connection_next(f.connection, &request);
                if (r == CONNECTION_REQUEST)
                        finish_request(f.connection);
                move_connection(&f);
                client_sends(&f, &rest);
                if (r != CONNECTION_REQUEST) {
                        request = next_request(&f);
                        assert_string_equal(params_get(request->params, "HTTP_COOKIE", NULL), "a=b");
                        finish_request(f.connection);
                }
                request = next_request(&f);
                assert_string_equal(params_get(request->params, "SCRIPT_NAME", NULL), "/a.php");
                assert_null(params_get(request->params, "HTTP_COOKIE", NULL));
                finish_request(f.connection);
                if (connection_pending(f.connection))
                        expect_verdict(&f, CONNECTION_IDLE);
                while (recv(f.client, (char[256]) {}, 256, MSG_DONTWAIT) > 0)
                        ;
        }
        bytes_clear(&whole);
        fixture_close(&f);
}

/* The time for a head does not begin anew; but one that is whole by then is a request, however late. */
static void test_deadline_moves_along(void **state _unused_)
{
        Bytes b = {}, last = {};
        usec_t deadline;
        Fixture f;

        fixture_open(&f, SHORT_TIMEOUT);
        for (unsigned whole = 0; whole < 2; whole++) {
                Request *request;

                add_head(&b, 1, FCGI_RESPONDER, true);
                b.size--;
                bytes_add(&last, b.data + b.size, 1);
                client_sends(&f, &b);
                assert_int_equal(connection_next(f.connection, &request), CONNECTION_PARTIAL);
                deadline = connection_deadline(f.connection);
                for (unsigned i = 0; i < 300; i++) {
                        Origin origin;

                        move_connection(&f);
                        assert_int_equal(connection_deadline(f.connection), deadline);
                        assert_int_equal(connection_save(f.connection, &origin), 0);
                        assert_int_equal(origin.moves, MIN(i + 2, 255U));
                        origin_close(&origin);
                }
                while (now_monotonic() <= deadline)
                        ;
                if (whole == 0) {
                        client_sends(&f, &last);
                        serve_hello(&f, 1);
                } else
                        expect_verdict(&f, CONNECTION_ENDED);
        }
        bytes_clear(&last);
        fixture_close(&f);
}

static void test_what_was_read_elsewhere_is_unreadable(void **state _unused_)
{
        int pair[2], pipes[2];
        Origin origin = { .head = -EBADF };
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        connection_close(f.connection);
        open_stream(pair);
        assert_int_equal(pipe(pipes), 0);
        origin.head = pipes[0];
        assert_true(connection_open(f.connection, pair[0], &origin) < 0);
        assert_int_equal(connection_fd(f.connection), -EBADF);
        expect_eof(pair[1]);
        fd_close(pair[1]);
        fd_close(pipes[1]);
        fixture_close(&f);
}

/* A kept socket is let go of as soon as the request was answered, unless there is more on it. */
static void test_release(void **state _unused_)
{
        static const struct {
                bool keep, body_ends, more;
                unsigned released;
        } cases[] = {
                { true, true, false, 1 },
                { true, true, true, 0 },
                { true, false, false, 0 },
                { false, true, false, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Bytes b = {};
                Request *request;
                Origin origin;
                Fixture f;

                fixture_open(&f, SHORT_TIMEOUT);
                add_head(&b, 1, FCGI_RESPONDER, cases[i].keep);
                add_record(&b, FCGI_STDIN, 1, "body", 4);
                if (cases[i].body_ends)
                        add_record(&b, FCGI_STDIN, 1, NULL, 0);
                if (cases[i].more)
                        bytes_add(&b, "\1\1\0", 3);
                client_sends(&f, &b);
                request = next_request(&f);
                request_release(request);
                assert_int_equal(f.calls.released, 0); /* it is not finished */
                assert_int_equal(request_finish(request), 0);
                request_release(request);
                assert_int_equal(f.calls.released, cases[i].released);
                if (f.calls.released > 0) {
                        assert_int_equal(connection_save(f.connection, &origin), 0);
                        assert_true(origin.head < 0);
                        connection_close(f.connection);
                        assert_int_equal(request_read_body(request, (char[8]) {}, 8), 0);
                        assert_string_equal(params_get(request->params, "SCRIPT_NAME", NULL), "/a.php");
                }
                finish_request(f.connection);
                fixture_close(&f);
        }
}

/* Its replies cannot be sent: a connection that ends is not let go of. */
static void test_no_release_of_a_connection_that_ends(void **state _unused_)
{
        Request *request;
        Bytes b = {};
        Fixture f;

        fixture_open(&f, SHORT_TIMEOUT);
        add_head(&b, 1, FCGI_RESPONDER, true);
        client_sends(&f, &b);
        request = next_request(&f);
        assert_int_equal(request_finish(request), 0);
        fill(&f);
        add_record(&b, FCGI_GET_VALUES, 0, NULL, 0);
        add_record(&b, FCGI_STDIN, 1, NULL, 0);
        client_sends(&f, &b);
        request_release(request);
        assert_int_equal(f.calls.released, 0);
        assert_int_equal(f.calls.closing, 1);
        expect_said("takes no replies");
        finish_request(f.connection);
        fixture_close(&f);
}

/* ---- Management records and refusals ---- */

static void test_get_values(void **state _unused_)
{
        static const uint8_t reply[] = "\1\12\0\0\0\22\6\0\17\1FCGI_MPXS_CONNS0\0\0\0\0\0";
        Bytes b = {}, expected = { (uint8_t *) reply, sizeof reply };
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_record(&b, FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS", 17);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_IDLE);
        expect_bytes(f.client, &expected);

        add_request(&b, 1, true, NULL, 0, 0);
        client_sends(&f, &b);
        serve_hello(&f, 1);
        fixture_close(&f);
}

static void test_unknown_role(void **state _unused_)
{
        uint8_t end[FCGI_END_REQUEST_SIZE];
        Bytes b = {}, expected = { end, sizeof end };
        Fixture f;

        fcgi_encode_end_request(end, 4, 0, FCGI_UNKNOWN_ROLE);
        fixture_open(&f, LONG_TIMEOUT);
        add_begin(&b, 4, (FcgiRole) 9, false);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_ENDED);
        expect_bytes(f.client, &expected);

        /* The next socket knows nothing of it. */
        connection_close(f.connection);
        fixture_connect(&f);
        add_record(&b, FCGI_GET_VALUES, 0, NULL, 0);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_IDLE);
        fixture_close(&f);
}

/* Replies that a client does not read hold nobody. */
static void test_replies_nobody_reads(void **state _unused_)
{
        int r, size = 1; /* the least that the kernel makes of it */
        Bytes b = {};
        Fixture f;

        fixture_open(&f, SHORT_TIMEOUT);
        r = setsockopt(connection_fd(f.connection), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        assert_int_equal(r, 0);
        for (unsigned i = 0; i < 1000; i++)
                add_record(&b, FCGI_GET_VALUES, 0, "\17\0FCGI_MPXS_CONNS", 17);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_ENDED);
        fixture_close(&f);
}

/* Nor do they behind an answer; that client has sent all, and nobody has waited for it to take them. */
static void test_replies_nobody_reads_behind_an_answer(void **state _unused_)
{
        Request *request;
        Bytes b = {};
        Fixture f;

        fixture_open(&f, SHORT_TIMEOUT);
        add_head(&b, 1, FCGI_RESPONDER, true);
        add_record(&b, FCGI_STDIN, 1, "x", 1);
        client_sends(&f, &b);
        request = next_request(&f);
        assert_int_equal(request_finish(request), 0);
        fill(&f);
        add_record(&b, FCGI_GET_VALUES, 0, NULL, 0);
        add_record(&b, FCGI_STDIN, 1, NULL, 0);
        client_sends(&f, &b);
        finish_request(f.connection);
        assert_int_equal(f.calls.closing, 1);
        expect_said("takes no replies");
        fixture_close(&f);
}

static void test_too_many_parameters(void **state _unused_)
{
        static const char text[] = "Status: 431 Request Header Fields Too Large\r\n"
                                   "Content-Type: text/plain; charset=UTF-8\r\n"
                                   "\r\n"
                                   "Request header fields too large.\n";
        Bytes b = {}, pairs = {}, expected = {};
        Fixture f;

        for (unsigned i = 0; i <= PARAMS_COUNT_MAX; i++) {
                char pair[16];

                (void) snprintf(pair, sizeof pair, "\6%c%06u", 1, i);
                bytes_add(&pairs, pair, 8);
                bytes_add(&pairs, "v", 1);
        }

        fixture_open(&f, LONG_TIMEOUT);
        for (unsigned keep = 0; keep < 2; keep++) {
                add_begin(&b, 6, FCGI_RESPONDER, keep == 0);
                add_record(&b, FCGI_PARAMS, 6, pairs.data, pairs.size);
                add_record(&b, FCGI_PARAMS, 6, NULL, 0);
                add_record(&b, FCGI_STDIN, 6, NULL, 0);
                client_sends(&f, &b);
                expect_verdict(&f, keep == 0 ? CONNECTION_IDLE : CONNECTION_ENDED);

                add_record(&expected, FCGI_STDOUT, 6, text, sizeof text - 1);
                add_end(&expected, 6);
                expect_bytes(f.client, &expected);
                bytes_clear(&expected);
        }
        connection_close(f.connection);
        expect_eof(f.client);
        fixture_close(&f);

        fixture_open(&f, SHORT_TIMEOUT); /* its body does not end */
        add_begin(&b, 6, FCGI_RESPONDER, false);
        add_record(&b, FCGI_PARAMS, 6, pairs.data, pairs.size);
        add_record(&b, FCGI_PARAMS, 6, NULL, 0);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_ENDED);
        assert_int_equal(f.calls.closing, 1);
        expect_said("A client did not send all of a request that was answered");
        assert_int_equal(f.calls.late, 1);
        bytes_clear(&pairs);
        fixture_close(&f);
}

/* FCGI_ROLE is one more parameter than the client sent. */
static void test_parameters_just_at_the_bound(void **state _unused_)
{
        Bytes b = {};
        char answer[32];
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_begin(&b, 6, FCGI_RESPONDER, true);
        for (unsigned i = 0; i < PARAMS_COUNT_MAX; i++) {
                char pair[16];

                (void) snprintf(pair, sizeof pair, "\6%c%06u", 1, i);
                pair[8] = 'v';
                add_record(&b, FCGI_PARAMS, 6, pair, 9);
        }
        add_record(&b, FCGI_PARAMS, 6, NULL, 0);
        client_sends(&f, &b);
        expect_verdict(&f, CONNECTION_IDLE);
        assert_int_equal(recv(f.client, answer, sizeof answer, 0), sizeof answer);
        assert_memory_equal(answer + FCGI_HEADER_SIZE, "Status: 431 ", 12);
        fixture_close(&f);
}

/* ---- Bodies ---- */

static void test_body(void **state _unused_)
{
        char body[1000], got[sizeof body];
        Bytes b = {};
        Fixture f;

        for (size_t i = 0; i < sizeof body; i++)
                body[i] = (char) i;
        fixture_open(&f, LONG_TIMEOUT);

        for (size_t step = 1; step < sizeof body; step = step * 3 + 1) {
                Request *request;
                size_t size = 0;
                ssize_t n;

                add_request(&b, 1, true, body, sizeof body, 77);
                client_sends(&f, &b);
                request = next_request(&f);
                while ((n = request_read_body(request, got + size, MIN(step, sizeof got - size))) > 0)
                        size += (size_t) n;
                assert_int_equal(n, 0);
                assert_int_equal(size, sizeof body);
                assert_memory_equal(got, body, sizeof body);
                assert_int_equal(request_read_body(request, got, 1), 0);
                finish_request(f.connection);
        }
        fixture_close(&f);
}

/* What comes with the head is the request; every piece behind it is progress. */
static void test_body_in_pieces(void **state _unused_)
{
        Bytes b = {};
        Request *request;
        char got[4];
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_head(&b, 1, FCGI_RESPONDER, false);
        client_sends(&f, &b);
        request = next_request(&f);
        assert_int_equal(f.calls.progress, 0);
        for (unsigned i = 1; i <= 3; i++) {
                add_record(&b, FCGI_STDIN, 1, "x", 1);
                client_sends(&f, &b);
                assert_int_equal(request_read_body(request, got, sizeof got), 1);
                assert_int_equal(f.calls.progress, i);
        }
        add_record(&b, FCGI_STDIN, 1, NULL, 0);
        client_sends(&f, &b);
        assert_int_equal(request_read_body(request, got, sizeof got), 0);
        finish_request(f.connection);
        fixture_close(&f);
}

static void test_unread_body_on_a_kept_connection(void **state _unused_)
{
        static const char body[100000];
        Bytes b = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 1, true, body, sizeof body, 0);
        add_request(&b, 2, true, NULL, 0, 0);
        client_sends(&f, &b);
        serve_hello(&f, 1);
        assert_true(connection_pending(f.connection));
        serve_hello(&f, 2);
        fixture_close(&f);
}

/* The client gets its whole answer and an orderly end, not a reset. */
static void test_unread_body_on_a_closed_connection(void **state _unused_)
{
        static const char body[100000];
        Bytes b = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 1, false, body, sizeof body, 0);
        client_sends(&f, &b);
        serve_hello(&f, 1);
        assert_int_equal(f.calls.closing, 1);
        expect_eof(f.client);
        fixture_close(&f);
}

/* A client that cannot send all of its request may give the answer up. 0 when this one got it. */
static int send_all_then_read(int fd, bool keep, size_t size)
{
        _cleanup_(freep) uint8_t *body = calloc(1, size);
        Bytes b = {}, end = {};
        uint8_t got[FCGI_END_REQUEST_SIZE];

        add_request(&b, 1, keep, body, size, 0);
        add_end(&end, 1);
        if (io_write_all(fd, b.data, b.size) < 0)
                return 1;
        if (recv(fd, got, sizeof got, MSG_WAITALL) != sizeof got)
                return 2;
        return memcmp(got, end.data, sizeof got) != 0;
}

static void test_unread_body_larger_than_all_buffers(void **state _unused_)
{
        for (unsigned keep = 0; keep < 2; keep++) {
                Bytes b = {};
                pid_t pid;
                Fixture f;

                fixture_open(&f, LONG_TIMEOUT);
                pid = fork_child();
                if (pid == 0) {
                        close(connection_fd(f.connection));
                        _exit(send_all_then_read(f.client, keep, 20 * 1024 * 1024));
                }
                assert_int_equal(wait_for(connection_fd(f.connection), POLLIN, USEC_INFINITY), 0);
                (void) next_request(&f);
                finish_request(f.connection);
                expect_exit(pid, 0);
                assert_int_equal(f.calls.closing, !keep);
                if (keep) {
                        add_request(&b, 2, true, NULL, 0, 0);
                        client_sends(&f, &b);
                        serve_hello(&f, 2);
                }
                fixture_close(&f);
        }
}

/* A body that stops holds the worker no longer than half a request; one that was not begun does not at all.
 */
static void test_unread_body_that_does_not_end(void **state _unused_)
{
        for (unsigned keep = 0; keep < 2; keep++) {
                usec_t begin = now_monotonic();
                Bytes b = {};
                Fixture f;

                fixture_open(&f, SHORT_TIMEOUT);
                add_head(&b, 1, FCGI_RESPONDER, keep);
                add_record(&b, FCGI_STDIN, 1, "abc", 3);
                client_sends(&f, &b);
                (void) next_request(&f);
                finish_request(f.connection);
                assert_true(now_monotonic() - begin >= SHORT_TIMEOUT);
                assert_int_equal(f.calls.closing, 1);
                expect_said("A client did not send all of a request that was answered");
                assert_int_equal(f.calls.late, 1);
                fixture_close(&f);

                begin = now_monotonic();
                fixture_open(&f, LONG_TIMEOUT);
                add_head(&b, 1, FCGI_AUTHORIZER, keep);
                client_sends(&f, &b);
                (void) next_request(&f);
                finish_request(f.connection);
                assert_true(now_monotonic() - begin < LONG_TIMEOUT);
                assert_int_equal(f.calls.closing, !keep);
                fixture_close(&f);
        }
}

/* The bytes that come take their time, not each of them anew. */
static void test_time_of_an_unread_body(void **state _unused_)
{
        static const struct {
                uint64_t n_bytes;
                usec_t time;
        } cases[] = {
                { 0, 0 },
                { FASTCGI_DISCARD_RATE / 4, USEC_PER_SEC / 4 },
                { (uint64_t) FASTCGI_DISCARD_RATE * 60, 60 * USEC_PER_SEC },
                { (uint64_t) FASTCGI_DISCARD_RATE * 10000, FASTCGI_DISCARD_TIME_MAX },
                { UINT64_MAX, FASTCGI_DISCARD_TIME_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(fastcgi_discard_time(cases[i].n_bytes), cases[i].time);
}

/* After an early answer the client is let go at once, and the script may still read what it sends. */
static void test_body_after_the_answer(void **state _unused_)
{
        Request *request;
        Bytes b = {};
        char c;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_head(&b, 1, FCGI_RESPONDER, false);
        client_sends(&f, &b);
        request = next_request(&f);
        assert_int_equal(request_finish(request), 0);
        assert_int_equal(f.calls.closing, 0);
        add_end(&b, 1);
        expect_bytes(f.client, &b);
        expect_eof(f.client);

        bytes_clear(&b);
        add_record(&b, FCGI_STDIN, 1, "x", 1);
        add_record(&b, FCGI_STDIN, 1, NULL, 0);
        client_sends(&f, &b);
        assert_int_equal(request_read_body(request, &c, 1), 1);
        finish_request(f.connection);
        assert_int_equal(f.calls.closing, 1);
        fixture_close(&f);
}

/* Reads an answer to its end and sends the end of the request only then. 0 when that was taken. */
static int read_then_send_end(int fd)
{
        uint8_t header[FCGI_HEADER_SIZE], buffer[1024];

        while (recv(fd, buffer, sizeof buffer, 0) > 0)
                ;
        fcgi_encode_header(header, FCGI_STDIN, 1, 0, 0);
        return send(fd, header, sizeof header, MSG_NOSIGNAL) != sizeof header;
}

/* Apache does, now and then, and takes the request for failed when the socket is closed by then. */
static void test_end_of_the_request_after_the_answer(void **state _unused_)
{
        Bytes b = {};
        pid_t pid;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_head(&b, 1, FCGI_RESPONDER, false);
        client_sends(&f, &b);
        (void) next_request(&f);
        pid = fork_child();
        if (pid == 0) {
                close(connection_fd(f.connection));
                _exit(read_then_send_end(f.client));
        }
        finish_request(f.connection);
        assert_int_equal(f.calls.closing, 1);
        expect_exit(pid, 0);
        fixture_close(&f);
}

static void test_abort(void **state _unused_)
{
        Bytes b = {}, expected = {};
        Request *request;
        char c;
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_head(&b, 8, FCGI_RESPONDER, true);
        add_record(&b, FCGI_ABORT_REQUEST, 8, NULL, 0);
        client_sends(&f, &b);
        request = next_request(&f);
        assert_int_equal(request_read_body(request, &c, 1), -ECONNABORTED);
        assert_int_equal(request_write(request, "x", 1), -EPIPE);
        assert_int_equal(request_flush(request), -EPIPE);
        finish_request(f.connection);
        add_end(&expected, 8);
        expect_bytes(f.client, &expected);

        add_request(&b, 9, true, NULL, 0, 0);
        client_sends(&f, &b);
        serve_hello(&f, 9);
        bytes_clear(&expected);
        fixture_close(&f);
}

static void test_client_gone_in_a_body(void **state _unused_)
{
        Request *request;
        Bytes b = {};
        char c[8];
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_head(&b, 1, FCGI_RESPONDER, true);
        add_record(&b, FCGI_STDIN, 1, "abc", 3);
        client_sends(&f, &b);
        request = next_request(&f);
        fd_close(f.client);
        f.client = -EBADF;
        assert_int_equal(request_read_body(request, c, sizeof c), 3);
        assert_int_equal(request_read_body(request, c, sizeof c), -ECONNRESET);
        finish_request(f.connection);
        assert_int_equal(f.calls.closing, 1);
        fixture_close(&f);
}

/* ---- Large answers ---- */

static void test_client_gone_in_an_answer(void **state _unused_)
{
        Request *request;
        char piece[4096] = {};
        unsigned n = 0;
        Bytes b = {};
        Fixture f;

        fixture_open(&f, LONG_TIMEOUT);
        add_request(&b, 1, true, NULL, 0, 0);
        client_sends(&f, &b);
        request = next_request(&f);
        fd_close(f.client);
        f.client = -EBADF;

        while (request_write(request, piece, sizeof piece) == 0)
                assert_true(n++ < 100);
        assert_int_equal(request_write(request, "x", 1), -EPIPE);
        assert_int_equal(request_write_error(request, "x", 1), -EPIPE);
        assert_int_equal(request_flush(request), -EPIPE);
        assert_int_equal(request_finish(request), -EPIPE);
        finish_request(f.connection);
        assert_int_equal(f.calls.closing, 1);
        fixture_close(&f);
}

/* What a client got of one answer. */
typedef struct Received {
        uint64_t size;
        uint64_t sum; /* over the content of STDOUT, each byte times its place */
        bool ended;
} Received;

static void take_exactly(int fd, uint8_t *p, size_t size)
{
        for (size_t done = 0; done < size;) {
                ssize_t n = recv(fd, p + done, MIN(size - done, (size_t) 3000), 0);

                if (n <= 0)
                        _exit(1);
                done += (size_t) n;
        }
}

static void add_to_sum(Received *r, const uint8_t *p, size_t size)
{
        for (size_t i = 0; i < size; i++)
                r->sum += p[i] * (r->size + i + 1);
        r->size += size;
}

/* A client in a process of its own, which reads little at a time. Its report comes through the pipe. */
static pid_t start_reader(const Fixture *f, int report)
{
        uint8_t header[FCGI_HEADER_SIZE], content[FCGI_CONTENT_MAX + 255];
        Received r = {};
        pid_t pid;

        pid = fork_child();
        if (pid > 0)
                return pid;

        close(connection_fd(f->connection));
        while (!r.ended) {
                FcgiHeader h;

                take_exactly(f->client, header, sizeof header);
                h = fcgi_decode_header(header);
                take_exactly(f->client, content, (size_t) h.content_size + h.padding_size);
                if (h.type == FCGI_STDOUT)
                        add_to_sum(&r, content, h.content_size);
                r.ended = h.type == FCGI_END_REQUEST;
        }
        _exit(io_write_all(report, &r, sizeof r) < 0);
}

/* Sends an answer of this size in pieces of that one to such a client. */
static void stream(size_t total, size_t piece_size)
{
        _cleanup_(freep) uint8_t *piece = malloc(piece_size);
        Received sent = {}, got;
        Request *request;
        int report[2];
        Bytes b = {};
        Fixture f;
        pid_t pid;

        assert_non_null(piece);
        for (size_t i = 0; i < piece_size; i++)
                piece[i] = (uint8_t) (i * 7 + i / 251);

        fixture_open(&f, LONG_TIMEOUT);
        assert_int_equal(pipe2(report, O_CLOEXEC), 0);
        add_request(&b, 1, false, NULL, 0, 0);
        client_sends(&f, &b);
        request = next_request(&f);
        pid = start_reader(&f, report[1]);

        while (sent.size < total) {
                size_t n = MIN(piece_size, total - sent.size);

                assert_int_equal(request_write(request, piece, n), 0);
                add_to_sum(&sent, piece, n);
        }
        finish_request(f.connection);

        assert_int_equal(read(report[0], &got, sizeof got), sizeof got);
        assert_int_equal(got.size, sent.size);
        assert_int_equal(got.sum, sent.sum);
        expect_exit(pid, 0);
        close(report[0]);
        close(report[1]);
        fixture_close(&f);
}

static void test_answers_of_all_sizes(void **state _unused_)
{
        static const size_t sizes[] = {
                1,     7,     8,     8192,  32600, 32700,  32768,   33000,
                65527, 65528, 65529, 65535, 65536, 100000, 1048576, 3000001,
        };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                stream(sizes[i], sizes[i]);
                stream(sizes[i], 4096);
        }
}

static void test_memory_of_a_large_answer(void **state _unused_)
{
        struct rusage before, after;

        stream(1024 * 1024, 8192);
        assert_int_equal(getrusage(RUSAGE_SELF, &before), 0);
        stream(100 * 1024 * 1024, 8192);
        assert_int_equal(getrusage(RUSAGE_SELF, &after), 0);
        assert_true(after.ru_maxrss - before.ru_maxrss < 1024); /* KB */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_small_answer),
                cmocka_unit_test(test_give_up),
                cmocka_unit_test(test_streams_in_order),
                cmocka_unit_test(test_head),
                cmocka_unit_test(test_flush),
                cmocka_unit_test(test_input_split_anywhere),
                cmocka_unit_test(test_two_requests_in_one_write),
                cmocka_unit_test(test_padding_is_zero),
                cmocka_unit_test(test_one_object_for_many_sockets),
                cmocka_unit_test(test_roles),
                cmocka_unit_test(test_silence_and_end),
                cmocka_unit_test(test_header_timeout),
                cmocka_unit_test(test_large_head_that_is_read_late),
                cmocka_unit_test(test_moved_anywhere),
                cmocka_unit_test(test_deadline_moves_along),
                cmocka_unit_test(test_what_was_read_elsewhere_is_unreadable),
                cmocka_unit_test(test_release),
                cmocka_unit_test(test_no_release_of_a_connection_that_ends),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_get_values),
                cmocka_unit_test(test_unknown_role),
                cmocka_unit_test(test_replies_nobody_reads),
                cmocka_unit_test(test_replies_nobody_reads_behind_an_answer),
                cmocka_unit_test(test_too_many_parameters),
                cmocka_unit_test(test_parameters_just_at_the_bound),
                cmocka_unit_test(test_body),
                cmocka_unit_test(test_body_in_pieces),
                cmocka_unit_test(test_unread_body_on_a_kept_connection),
                cmocka_unit_test(test_unread_body_on_a_closed_connection),
                cmocka_unit_test(test_unread_body_larger_than_all_buffers),
                cmocka_unit_test(test_unread_body_that_does_not_end),
                cmocka_unit_test(test_time_of_an_unread_body),
                cmocka_unit_test(test_body_after_the_answer),
                cmocka_unit_test(test_end_of_the_request_after_the_answer),
                cmocka_unit_test(test_abort),
                cmocka_unit_test(test_client_gone_in_a_body),
                cmocka_unit_test(test_client_gone_in_an_answer),
                cmocka_unit_test(test_answers_of_all_sizes),
                cmocka_unit_test(test_memory_of_a_large_answer),
        };

        log_fd = memfd_create("log", MFD_CLOEXEC);
        if (log_fd < 0 || fcntl(log_fd, F_SETFL, O_APPEND) < 0)
                return 1;
        log_set_stderr(log_fd);
        log_set_max_level(LOG_DEBUG);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
