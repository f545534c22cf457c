/* SPDX-License-Identifier: MIT */

/* Parked connections, with a socket pair as the client and the workers' end in our own hands. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/handoff.h"
#include "manager/parking.h"

#define MANY 2000

typedef struct Fixture {
        sd_event *event;
        Parking *parking;
        int worker; /* the workers' end */
        size_t n_changes;
} Fixture;

static size_t count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n;
}

static void on_change(void *userdata)
{
        ((Fixture *) userdata)->n_changes++;
}

static void fixture_open(Fixture *f)
{
        f->n_changes = 0;
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(parking_new(f->event, on_change, f, &f->parking), 0);
        f->worker = parking_worker_fd(f->parking);
}

static void fixture_close(Fixture *f)
{
        parking_free(f->parking);
        sd_event_unref(f->event);
}

/* Lets the loop handle everything that is there. */
static void run(Fixture *f)
{
        while (sd_event_run(f->event, 0) > 0)
                ;
}

/* A connection of which the caller keeps the client's end; the other is parked. */
static int park(Fixture *f)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(handoff_send(f->worker, &(Handoff) { .unix_socket = true }, pair[1]), 0);
        fd_close(pair[1]);
        run(f);
        return pair[0];
}

static void test_comes_back_when_it_speaks(void **state)
{
        size_t before = count_fds();
        Handoff handoff;
        int client, fd;
        Fixture f;
        char c;

        (void) state;
        fixture_open(&f);
        client = park(&f);
        assert_int_equal(parking_count(f.parking), 1);
        assert_int_equal(handoff_receive(f.worker, &handoff, &fd), -EAGAIN);

        assert_false(parking_waiting(f.parking));
        assert_int_equal(write(client, "x", 1), 1);
        run(&f);
        assert_int_equal(f.n_changes, 1);
        assert_true(parking_waiting(f.parking));
        assert_int_equal(handoff_receive(f.worker, &handoff, &fd), 1);
        assert_true(handoff.unix_socket);
        assert_int_equal(read(fd, &c, 1), 1);
        assert_int_equal(c, 'x');
        assert_int_equal(parking_count(f.parking), 0);

        fd_close(fd);
        fd_close(client);
        fixture_close(&f);
        assert_int_equal(count_fds(), before);
}

static void test_is_dropped_when_the_client_goes(void **state)
{
        Handoff handoff;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        fd_close(park(&f));
        run(&f);
        assert_int_equal(parking_count(f.parking), 0);
        assert_int_equal(handoff_receive(f.worker, &handoff, &fd), -EAGAIN);
        fixture_close(&f);
}

/* More ready connections than the queue holds: none is lost, none is handed out twice. */
static void test_full_queue(void **state)
{
        static int clients[MANY];
        size_t before = count_fds(), received = 0;
        Handoff handoff;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        for (size_t i = 0; i < MANY; i++)
                clients[i] = park(&f);
        assert_int_equal(parking_count(f.parking), MANY);
        assert_int_equal(parking_ready_count(f.parking), 0);

        for (size_t i = 0; i < MANY; i++)
                assert_int_equal(write(clients[i], "x", 1), 1);
        run(&f);
        assert_int_equal(parking_ready_count(f.parking), MANY);

        while (received < MANY) {
                assert_int_equal(handoff_receive(f.worker, &handoff, &fd), 1);
                fd_close(fd);
                received++;
                assert_int_equal(parking_ready_count(f.parking), MANY - received);
                run(&f);
        }
        assert_int_equal(parking_count(f.parking), 0);
        assert_int_equal(handoff_receive(f.worker, &handoff, &fd), -EAGAIN);

        for (size_t i = 0; i < MANY; i++)
                fd_close(clients[i]);
        fixture_close(&f);
        assert_int_equal(count_fds(), before);
}

static void test_free_closes_what_is_parked(void **state)
{
        int client;
        Fixture f;
        char c;

        (void) state;
        fixture_open(&f);
        client = park(&f);
        fixture_close(&f);
        assert_int_equal(read(client, &c, 1), 0);
        fd_close(client);
}

/* A message that is no hand-off costs its sender only. */
static void test_malformed(void **state)
{
        Fixture f;
        int client;

        (void) state;
        fixture_open(&f);
        assert_int_equal(fd_send(f.worker, "rubbish", 7, NULL, 0), 0);
        client = park(&f);
        assert_int_equal(parking_count(f.parking), 1);
        fd_close(client);
        fixture_close(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_comes_back_when_it_speaks),
                cmocka_unit_test(test_is_dropped_when_the_client_goes),
                cmocka_unit_test(test_full_queue),
                cmocka_unit_test(test_free_closes_what_is_parked),
                cmocka_unit_test(test_malformed),
        };
        struct rlimit limit;

        /* The soft limit of 1024 is for programs that use select(2). */
        (void) getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
