/* SPDX-License-Identifier: MIT */

/* A request from the client's side, with a server's answers as bytes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "ctl/exchange.h"
#include "helpers/child.h"
#include "helpers/directory.h"
#include "helpers/fastcgi.h"
#include "helpers/fds.h"
#include "helpers/text.h"

#define PATIENCE (60 * USEC_PER_SEC)
#define LARGE ((size_t) 4 << 20) /* more than a socket holds */

/* What came. */
typedef struct Seen {
        Bytes output, error;
        int refuse; /* what the sink returns for output */
} Seen;

static int on_output(void *userdata, const char *bytes, size_t size)
{
        Seen *seen = userdata;

        bytes_add(&seen->output, bytes, size);
        return seen->refuse;
}

static int on_error(void *userdata, const char *bytes, size_t size)
{
        bytes_add(&((Seen *) userdata)->error, bytes, size);
        return 0;
}

static void seen_clear(Seen *seen)
{
        bytes_clear(&seen->output);
        bytes_clear(&seen->error);
}

static Params *new_params(void)
{
        Params *params;

        assert_int_equal(params_new(&params), 0);
        set_param(params, "REQUEST_METHOD", "GET");
        return params;
}

static int exchange(int fd, int body_fd, usec_t timeout, Seen *seen)
{
        const ExchangeSink sink = { .on_output = on_output, .on_error = on_error, .userdata = seen };
        _cleanup_(params_freep) Params *params = new_params();

        return exchange_run(fd, params, body_fd, usec_add(now_monotonic(), timeout), &sink);
}

/* Runs an exchange whose answer is there already, and has the server's end closed where it ends. */
static int answered(const Bytes *answer, bool ends, usec_t timeout, Seen *seen)
{
        int pair[2], r;

        open_stream(pair);
        assert_int_equal(fd_nonblock(pair[0], true), 0);
        send_bytes(pair[1], answer);
        if (ends)
                assert_int_equal(shutdown(pair[1], SHUT_WR), 0);
        r = exchange(pair[0], -EBADF, timeout, seen);
        close_pair(pair);
        return r;
}

/* What the server gets is a whole request, with the body to its end. */
static void test_request(void **state _unused_)
{
        _cleanup_(fd_closep) int body = memfd_create("body", MFD_CLOEXEC);
        _cleanup_(params_freep) Params *params = new_params();
        Bytes expected = {}, answer = {};
        Seen seen = {};
        int pair[2];

        assert_int_equal(io_write_all(body, "body", 4), 0);
        assert_int_equal(lseek(body, 0, SEEK_SET), 0);
        open_stream(pair);
        assert_int_equal(fd_nonblock(pair[0], true), 0);
        add_record(&answer, FCGI_STDOUT, 1, "out", 3);
        add_record(&answer, FCGI_STDERR, 1, "err", 3);
        add_record(&answer, FCGI_STDOUT, 1, "put", 3);
        add_record(&answer, FCGI_STDOUT, 1, NULL, 0);
        add_end(&answer, 1);

        /* The answer may come when only part of the request was read: here, none of it. */
        send_bytes(pair[1], &answer);
        assert_int_equal(exchange(pair[0], body, PATIENCE, &seen), FCGI_REQUEST_COMPLETE);
        assert_int_equal(seen.output.size, 6);
        assert_memory_equal(seen.output.data, "output", 6);
        assert_int_equal(seen.error.size, 3);
        assert_memory_equal(seen.error.data, "err", 3);

        add_head_of(&expected, 1, FCGI_RESPONDER, false, params);
        expect_bytes(pair[1], &expected);
        close_pair(pair);
        bytes_clear(&expected);
        bytes_clear(&answer);
        seen_clear(&seen);
}

/* Neither waits for the other: a large body, and a large answer that begins before it is read. */
static void test_both_are_large(void **state _unused_)
{
        _cleanup_(fd_closep) int body = memfd_create("body", MFD_CLOEXEC);
        Seen seen = {};
        int pair[2];
        pid_t pid;

        assert_int_equal(ftruncate(body, (off_t) LARGE), 0);
        open_stream(pair);
        assert_int_equal(fd_nonblock(pair[0], true), 0);
        pid = fork_child();
        if (pid == 0) {
                static uint8_t content[32768];
                Bytes answer = {};
                size_t left = LARGE;

                pair[0] = fd_close(pair[0]);
                for (size_t i = 0; i < LARGE / sizeof content; i++)
                        add_record(&answer, FCGI_STDOUT, 1, content, sizeof content);
                add_end(&answer, 1);
                send_bytes(pair[1], &answer); /* first, and only then */
                while (left > 0) {
                        ssize_t n = read(pair[1], content, sizeof content);

                        if (n <= 0)
                                break;
                        left -= MIN(left, (size_t) n);
                }
                _exit(0);
        }
        pair[1] = fd_close(pair[1]);
        assert_int_equal(exchange(pair[0], body, PATIENCE, &seen), FCGI_REQUEST_COMPLETE);
        assert_int_equal(seen.output.size, LARGE);
        close_pair(pair);
        expect_exit(pid, 0);
        seen_clear(&seen);
}

typedef enum Part {
        NOTHING,
        OUTPUT,       /* "x" */
        OTHER,        /* "x" for another request */
        END,          /* of this request, complete */
        END_OF_OTHER, /* of another request */
        OVERLOADED,   /* its end with this status */
        SHORT_END,    /* END_REQUEST of 7 bytes */
        VERSION,      /* a record of version 2 */
        HEADER,       /* half a header */
        PIECE,        /* a header, and half of its content */
        UNKNOWN,      /* a record of a type that nobody knows */
} Part;

static void add_part(Bytes *b, Part part)
{
        uint8_t end[8] = { [4] = FCGI_OVERLOADED }, header[FCGI_HEADER_SIZE];

        switch (part) {
        case NOTHING:
                break;
        case OUTPUT:
        case OTHER:
                add_record(b, FCGI_STDOUT, part == OUTPUT ? 1 : 2, "x", 1);
                break;
        case END:
        case END_OF_OTHER:
                add_end(b, part == END ? 1 : 2);
                break;
        case OVERLOADED:
        case SHORT_END:
                add_record(b, FCGI_END_REQUEST, 1, end, part == OVERLOADED ? 8 : 7);
                break;
        case UNKNOWN:
                add_record(b, (FcgiType) 99, 1, "x", 1);
                break;
        case VERSION:
        case HEADER:
        case PIECE:
                fcgi_encode_header(header, FCGI_STDOUT, 1, 10, 0);
                header[0] = part == VERSION ? 2 : FCGI_VERSION_1;
                bytes_add(b, header, part == HEADER ? sizeof header / 2 : sizeof header);
                bytes_add(b, "12345", part == PIECE ? 5 : 0);
        }
}

static void test_answers(void **state _unused_)
{
        static const struct {
                Part parts[4];
                bool ends; /* the server closes the connection behind them */
                int result;
                size_t size; /* of the output */
        } cases[] = {
                { { OUTPUT, END }, false, FCGI_REQUEST_COMPLETE, 1 },
                { { OUTPUT, END }, true, FCGI_REQUEST_COMPLETE, 1 },
                { { END }, false, FCGI_REQUEST_COMPLETE, 0 },
                { { OVERLOADED }, false, FCGI_OVERLOADED, 0 },
                { { OUTPUT, END, VERSION }, false, FCGI_REQUEST_COMPLETE, 1 }, /* behind its end */
                { { OTHER, END_OF_OTHER, OUTPUT, END }, false, FCGI_REQUEST_COMPLETE, 1 },
                { { UNKNOWN, OUTPUT, END }, false, FCGI_REQUEST_COMPLETE, 1 },
                { { NOTHING }, true, -ECONNRESET, 0 },
                { { OUTPUT }, true, -ECONNRESET, 1 },
                { { OUTPUT, HEADER }, true, -ECONNRESET, 1 },
                { { OUTPUT, PIECE }, true, -ECONNRESET, 1 },
                { { OUTPUT, END_OF_OTHER }, true, -ECONNRESET, 1 },
                { { VERSION }, false, -EBADMSG, 0 },
                { { OUTPUT, VERSION }, false, -EBADMSG, 1 },
                { { SHORT_END }, false, -EBADMSG, 0 },
                { { NOTHING }, false, -ETIMEDOUT, 0 },
                { { OUTPUT, PIECE }, false, -ETIMEDOUT, 1 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                usec_t timeout = cases[i].result == -ETIMEDOUT ? 20 * USEC_PER_MSEC : PATIENCE;
                Bytes answer = {};
                Seen seen = {};
                int r;

                for (size_t j = 0; j < ELEMENTSOF(cases[i].parts); j++)
                        add_part(&answer, cases[i].parts[j]);
                r = answered(&answer, cases[i].ends, timeout, &seen);
                if (r != cases[i].result || seen.output.size != cases[i].size)
                        fail_msg("case %zu: %d, with %zu bytes of output", i, r, seen.output.size);
                bytes_clear(&answer);
                seen_clear(&seen);
        }
}

/* The largest record, and many of them that come in one piece. */
static void test_largest_records(void **state _unused_)
{
        static uint8_t content[FCGI_CONTENT_MAX];
        Bytes answer = {};
        Seen seen = {};

        add_record(&answer, FCGI_STDOUT, 1, content, sizeof content);
        for (size_t i = 0; i < 100; i++)
                add_record(&answer, FCGI_STDOUT, 1, "123456789", 9);
        add_end(&answer, 1);
        assert_int_equal(answered(&answer, false, PATIENCE, &seen), FCGI_REQUEST_COMPLETE);
        assert_int_equal(seen.output.size, sizeof content + 900);
        bytes_clear(&answer);
        seen_clear(&seen);
}

static void test_sink_that_refuses(void **state _unused_)
{
        Bytes answer = {};
        Seen seen = { .refuse = -ENOSPC };

        add_record(&answer, FCGI_STDOUT, 1, "x", 1);
        add_record(&answer, FCGI_STDOUT, 1, "y", 1);
        add_end(&answer, 1);
        assert_int_equal(answered(&answer, false, PATIENCE, &seen), -ENOSPC);
        assert_int_equal(seen.output.size, 1);
        bytes_clear(&answer);
        seen_clear(&seen);
}

static void test_addresses(void **state _unused_)
{
        static const struct {
                const char *address;
                int result;
        } cases[] = {
                { "", -EINVAL },
                { "localhost", -EINVAL },
                { ":80", -EINVAL },
                { "localhost:", -EINVAL },
                { "run/www.sock", -EINVAL },
                { "/nowhere/www.sock", -ENOENT },
                { "127.0.0.1:no-such-port", -EADDRNOTAVAIL },
        };
        char path[sizeof((struct sockaddr_un *) 0)->sun_path + 1], host[300];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int fd = -EBADF, r;

                r = exchange_connect(cases[i].address, PATIENCE, &fd);
                if (r != cases[i].result || fd != -EBADF)
                        fail_msg("\"%s\": %d", cases[i].address, r);
        }

        memset(path, '/', sizeof path - 1);
        path[sizeof path - 1] = 0;
        assert_int_equal(exchange_connect(path, PATIENCE, &(int){ -EBADF }), -ENAMETOOLONG);
        memset(host, 'x', sizeof host);
        strcpy(host + sizeof host - sizeof ":80", ":80");
        assert_int_equal(exchange_connect(host, PATIENCE, &(int){ -EBADF }), -EINVAL);
}

static void test_unix_socket(void **state _unused_)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int listener, client = -EBADF, r = 0, last = -EBADF;
        _cleanup_(freep) char *path = NULL;
        size_t before = count_fds();
        Directory d;

        directory_make(&d);
        path = directory_path(&d, "www.sock");
        strcpy(address.sun_path, path);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(listener, (struct sockaddr *) &address, sizeof address), 0);
        assert_int_equal(exchange_connect(path, PATIENCE, &client), -ECONNREFUSED); /* nobody listens */

        assert_int_equal(listen(listener, 0), 0);
        assert_int_equal(exchange_connect(path, PATIENCE, &client), 0);
        assert_int_equal(fcntl(client, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(client, F_GETFL) & O_NONBLOCK, O_NONBLOCK);

        /* Its queue is full, and nobody accepts. */
        r = exchange_connect(path, 20 * USEC_PER_MSEC, &last);
        assert_int_equal(r, -ETIMEDOUT);
        fd_close(client);
        fd_close(listener);
        directory_remove(&d);
        assert_int_equal(count_fds(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_request),           cmocka_unit_test(test_both_are_large),
                cmocka_unit_test(test_answers),           cmocka_unit_test(test_largest_records),
                cmocka_unit_test(test_sink_that_refuses), cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_unix_socket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
