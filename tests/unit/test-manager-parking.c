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
#include <sys/wait.h>
#include <unistd.h>

#include "base/time.h"
#include "ipc/handoff.h"
#include "manager/parking.h"

#define MANY 2000
#define FEW 50
#define FLOOD_UID 61284 /* who has nothing else in flight */

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

/* The soft limit on descriptors; the one before. */
static rlim_t set_limit(rlim_t soft)
{
        struct rlimit limit;
        rlim_t before;

        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        before = limit.rlim_cur;
        limit.rlim_cur = soft;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        return before;
}

/* Half of the descriptors may be parked connections: who comes then is closed, the others stay. */
static void test_has_a_limit(void **state)
{
        int clients[FEW + 5];
        rlim_t before;
        Fixture f;
        char c;

        (void) state;
        before = set_limit(2 * FEW);
        fixture_open(&f);
        (void) set_limit(before);

        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                clients[i] = park(&f);
        assert_int_equal(parking_count(f.parking), FEW);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
                assert_int_equal(recv(clients[i], &c, 1, MSG_DONTWAIT), i < FEW ? -1 : 0);
                fd_close(clients[i]);
        }
        fixture_close(&f);
}

/* A connection that has something to say, whose client is gone. */
static int speaking(void)
{
        int pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_int_equal(write(pair[0], "x", 1), 1);
        fd_close(pair[0]);
        return pair[1];
}

/*
 * The kernel counts descriptors in flight per user: with too many, the socket is writable and sendmsg(2)
 * fails all the same. The loop must come to rest, and go on when there is room.
 */
static void flood(void)
{
        size_t received = 0;
        Handoff handoff;
        Fixture f;
        int fd;

        (void) set_limit(FEW);
        if (geteuid() == 0)
                assert_int_equal(setuid(FLOOD_UID), 0);
        fixture_open(&f);
        for (size_t i = 0; i < FEW + 5; i++) {
                size_t turns = 0;

                assert_int_equal(parking_adopt(f.parking, speaking()), 0);
                while (sd_event_run(f.event, 0) > 0)
                        assert_true(turns++ < 100);
        }
        assert_true(parking_count(f.parking) > 0);

        while (received < FEW + 5) {
                int r = handoff_receive(f.worker, &handoff, &fd);

                if (r == -EAGAIN) {
                        assert_true(sd_event_run(f.event, 10 * USEC_PER_SEC) > 0);
                        continue;
                }
                assert_int_equal(r, 1);
                fd_close(fd);
                received++;
        }
        assert_int_equal(parking_count(f.parking), 0);
        fixture_close(&f);
}

static void test_too_many_in_flight(void **state)
{
        int status;
        pid_t pid;

        (void) state;
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                flood();
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* What was in the queue when a worker died is announced anew. */
static void test_rouse(void **state)
{
        Handoff handoff;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        parking_rouse(f.parking);
        assert_int_equal(parking_adopt(f.parking, speaking()), 0);
        run(&f);
        assert_true(parking_waiting(f.parking));

        parking_rouse(f.parking);
        assert_int_equal(parking_count(f.parking), 1);
        run(&f);
        assert_int_equal(parking_count(f.parking), 0);
        assert_int_equal(handoff_receive(f.worker, &handoff, &fd), 1);
        assert_true(handoff.unix_socket);
        fd_close(fd);
        fixture_close(&f);
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
        assert_int_equal(fd_send(f.worker, "rubbish", 7, NULL, 0, 0), 0);
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
                cmocka_unit_test(test_has_a_limit),
                cmocka_unit_test(test_too_many_in_flight),
                cmocka_unit_test(test_rouse),
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
