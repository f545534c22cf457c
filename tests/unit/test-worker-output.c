/* SPDX-License-Identifier: MIT */

/* How long an answer waits for its client; everything else of it is test-worker-fastcgi.c's. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/fds.h"
#include "worker/transport/output.h"

#define STALL (50 * USEC_PER_MSEC)
#define ANSWER_SIZE ((size_t) 4 * 1024 * 1024)
#define SLOW_STALL                                                                                          \
        (160 * USEC_PER_MSEC) /* in which a slow client takes something, however busy the machine */

typedef struct Fixture {
        Output output;
        int client;
        unsigned waiting;
        unsigned progress;
        atomic_bool done;
} Fixture;

static const uint8_t answer[ANSWER_SIZE];

static void on_waiting(void *userdata, bool begins)
{
        Fixture *f = userdata;

        f->waiting += begins ? 1 : 0;
}

static void on_progress(void *userdata)
{
        ((Fixture *) userdata)->progress++;
}

static void fixture_open(Fixture *f)
{
        int pair[2];

        f->waiting = f->progress = 0;
        atomic_store(&f->done, false);
        open_stream(pair);
        assert_int_equal(fd_nonblock(pair[1], true), 0);
        f->client = pair[0];
        f->output.stall_timeout = STALL;
        f->output.waiting = on_waiting;
        f->output.progress = on_progress;
        f->output.userdata = f;
        output_reset(&f->output, pair[1]);
}

static void fixture_close(Fixture *f)
{
        fd_close(f->client);
        fd_close(f->output.fd);
}

static void test_client_that_takes_nothing(void **state _unused_)
{
        static Fixture f;
        usec_t begin;

        fixture_open(&f);
        begin = now_monotonic();
        assert_int_equal(output_write(&f.output, FCGI_STDOUT, answer, sizeof answer), -EPIPE);
        assert_true(now_monotonic() - begin >= STALL);
        assert_int_equal(f.waiting, 1);
        assert_int_equal(f.progress, 1); /* what the socket's buffer took */
        /* It is gone for good. */
        assert_true(output_stalled(&f.output));
        assert_int_equal(output_write(&f.output, FCGI_STDOUT, "x", 1), -EPIPE);
        assert_int_equal(output_flush(&f.output, USEC_INFINITY), -EPIPE);
        fixture_close(&f);
}

static void test_deadline_comes_first(void **state _unused_)
{
        static Fixture f;

        fixture_open(&f);
        while (send(f.output.fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
                ;
        f.output.stall_timeout = USEC_INFINITY;
        assert_int_equal(output_write(&f.output, FCGI_STDOUT, "x", 1), 0);
        assert_int_equal(output_flush(&f.output, now_monotonic()), -EPIPE);
        assert_true(output_stalled(&f.output));
        fixture_close(&f);
}

/* A socket that is full at one moment makes no slow client. */
static void test_no_wait(void **state _unused_)
{
        static Fixture f;

        fixture_open(&f);
        while (send(f.output.fd, answer, sizeof answer, MSG_DONTWAIT) > 0)
                ;
        assert_int_equal(output_write(&f.output, FCGI_STDOUT, "x", 1), 0);
        assert_int_equal(output_flush(&f.output, 0), -EPIPE);
        assert_false(output_stalled(&f.output));
        fixture_close(&f);
}

/* Takes little at a time, so that it takes many of them until the socket is writable again. */
static void *take_slowly(void *userdata)
{
        Fixture *f = userdata;
        char piece[4096];

        while (!atomic_load(&f->done)) {
                (void) usleep(SLOW_STALL / 16);
                (void) recv(f->client, piece, sizeof piece, MSG_DONTWAIT);
        }
        return NULL;
}

/* It may take longer than the time that is allowed, as long as some of it is taken in each such time. */
static void test_slow_client(void **state _unused_)
{
        static Fixture f;
        usec_t begin;
        pthread_t t;

        fixture_open(&f);
        f.output.stall_timeout = SLOW_STALL;
        while (send(f.output.fd, answer, 4096, MSG_DONTWAIT) > 0)
                ;
        begin = now_monotonic();
        assert_int_equal(pthread_create(&t, NULL, take_slowly, &f), 0);
        assert_int_equal(output_write(&f.output, FCGI_STDOUT, "x", 1), 0);
        assert_int_equal(output_flush(&f.output, USEC_INFINITY), 0);
        assert_true(now_monotonic() - begin >= 2 * SLOW_STALL);
        assert_int_equal(f.waiting, 1);
        assert_true(f.progress >= 2); /* and was seen to, before anything more could be sent */
        atomic_store(&f.done, true);
        assert_int_equal(pthread_join(t, NULL), 0);
        fixture_close(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_client_that_takes_nothing),
                cmocka_unit_test(test_deadline_comes_first),
                cmocka_unit_test(test_no_wait),
                cmocka_unit_test(test_slow_client),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
