/* SPDX-License-Identifier: MIT */

/* Parked connections, with a socket pair as the client and the workers' end in our own hands. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/time.h"
#include "helpers/child.h"
#include "helpers/fds.h"
#include "helpers/handoff.h"
#include "manager/traffic/heads.h"
#include "manager/traffic/parking.h"
#include "manager/traffic/store.h"

#define MANY 2000
#define FEW 50
#define STORED 8 /* less than a datagram socket's queue holds */
#define FLOOD_UID 61284 /* who has nothing else in flight */

typedef struct Fixture {
        sd_event *event;
        Parking *parking;
        int worker; /* the workers' end */
        size_t n_changes;
} Fixture;

/* The system refuses so many of the next descriptors that are to be watched. */
static unsigned n_refusals;

int epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
        if (operation == EPOLL_CTL_ADD && n_refusals > 0) {
                n_refusals--;
                errno = ENOSPC;
                return -1;
        }
        return (int) syscall(SYS_epoll_ctl, epoll_fd, operation, fd, event);
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

        open_stream(pair);
        assert_int_equal(hand_off(f->worker, HANDOFF_PARK, &ORIGIN_UNIX, pair[1]), 0);
        fd_close(pair[1]);
        run(f);
        return pair[0];
}

static void test_comes_back_when_it_speaks(void **state)
{
        size_t before = count_fds();
        Origin origin;
        int client, fd;
        Fixture f;
        char c;

        (void) state;
        fixture_open(&f);
        client = park(&f);
        assert_int_equal(parking_count(f.parking), 1);
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), -EAGAIN);

        assert_false(parking_waiting(f.parking));
        assert_int_equal(write(client, "x", 1), 1);
        run(&f);
        assert_int_equal(f.n_changes, 1);
        assert_true(parking_waiting(f.parking));
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), 1);
        assert_true(origin.unix_socket);
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
        Origin origin;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        fd_close(park(&f));
        run(&f);
        assert_int_equal(parking_count(f.parking), 0);
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), -EAGAIN);
        fixture_close(&f);
}

/* More ready connections than the queue holds: none is lost, none is handed out twice. */
static void test_full_queue(void **state)
{
        static int clients[MANY];
        size_t before = count_fds(), received = 0;
        Origin origin;
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
                assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), 1);
                fd_close(fd);
                received++;
                assert_int_equal(parking_ready_count(f.parking), MANY - received);
                run(&f);
        }
        assert_int_equal(parking_count(f.parking), 0);
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), -EAGAIN);

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

        open_stream(pair);
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
        Origin origin;
        Fixture f;
        int fd;

        (void) set_limit(FEW);
        if (geteuid() == 0)
                assert_int_equal(setuid(FLOOD_UID), 0);
        fixture_open(&f);
        for (size_t i = 0; i < FEW + 5; i++) {
                size_t turns = 0;

                assert_int_equal(parking_adopt(f.parking, PROTOCOL_FASTCGI, speaking()), 0);
                while (sd_event_run(f.event, 0) > 0)
                        assert_true(turns++ < 100);
        }
        assert_true(parking_count(f.parking) > 0);

        while (received < FEW + 5) {
                int r = take_over(f.worker, HANDOFF_WORKER, &origin, &fd);

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
        pid_t pid;

        (void) state;
        pid = fork_child();
        if (pid == 0) {
                flood();
                _exit(0);
        }
        expect_exit(pid, 0);
}

/* What was in the queue when a worker died is announced anew. */
static void test_rouse(void **state)
{
        Origin origin;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        parking_rouse(f.parking);
        assert_int_equal(parking_adopt(f.parking, PROTOCOL_FASTCGI, speaking()), 0);
        run(&f);
        assert_true(parking_waiting(f.parking));

        parking_rouse(f.parking);
        assert_int_equal(parking_count(f.parking), 1);
        run(&f);
        assert_int_equal(parking_count(f.parking), 0);
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), 1);
        assert_true(origin.unix_socket);
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

/* ---- Heads ---- */

/* A memfd of that size. */
static int head_of(size_t size)
{
        _cleanup_(freep) char *bytes = calloc(1, size);
        int fd;

        assert_non_null(bytes);
        assert_int_equal(fd_new_sealed_memfd("head", bytes, size, &fd), 0);
        return fd;
}

/* A connection of which part of a request was read, and on which this came since; the client's end. */
static int park_head_with(Fixture *f, size_t size, usec_t deadline, uint8_t moves, const char *more)
{
        Origin origin = { .head = head_of(size), .deadline = deadline, .moves = moves };
        int pair[2];

        open_stream(pair);
        assert_int_equal(write(pair[0], more, strlen(more)), strlen(more));
        assert_int_equal(hand_off(f->worker, HANDOFF_PARK, &origin, pair[1]), 0);
        origin_close_both(&origin, pair[1]);
        run(f);
        return pair[0];
}

static int park_head(Fixture *f, size_t size, usec_t deadline, uint8_t moves)
{
        return park_head_with(f, size, deadline, moves, "");
}

/* Waits for the client's connection to come back; its head's size. */
static off_t take_head(Fixture *f, usec_t deadline)
{
        struct stat st;
        Origin origin;
        int fd;

        while (take_over(f->worker, HANDOFF_WORKER, &origin, &fd) != 1)
                assert_true(sd_event_run(f->event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(origin.deadline, deadline);
        assert_int_equal(fstat(origin.head, &st), 0);
        origin_close_both(&origin, fd);
        return st.st_size;
}

static void test_head_goes_along(void **state)
{
        usec_t deadline = now_monotonic() + 60 * USEC_PER_SEC;
        size_t before = count_fds();
        int client;
        Fixture f;

        (void) state;
        fixture_open(&f);
        client = park_head(&f, 1000, deadline, 1);
        assert_int_equal(parking_count(f.parking), 1);
        assert_false(parking_waiting(f.parking));
        assert_int_equal(write(client, "x", 1), 1);
        run(&f);
        assert_int_equal(parking_ready_count(f.parking), 1);
        assert_int_equal(take_head(&f, deadline), 1000);
        assert_int_equal(parking_count(f.parking), 0);
        fd_close(client);

        fd_close(park_head(&f, 10, deadline, 1));
        run(&f);
        assert_int_equal(parking_count(f.parking), 0);
        fixture_close(&f);
        assert_int_equal(count_fds(), before);
}

/* A silent one is closed at its deadline, one that waits for a worker is not. */
static void test_head_has_a_deadline(void **state)
{
        usec_t begin = now_monotonic(), soon = begin + 20 * USEC_PER_MSEC, late = begin + 60 * USEC_PER_SEC;
        int silent, patient, ready;
        Fixture f;
        char c;

        (void) state;
        fixture_open(&f);
        patient = park_head(&f, 10, late, 1);
        silent = park_head(&f, 10, soon, 1);
        ready = park_head(&f, 10, soon, 1);
        assert_int_equal(write(ready, "x", 1), 1);
        run(&f);

        while (parking_count(f.parking) > 1)
                assert_true(sd_event_run(f.event, 10 * USEC_PER_SEC) > 0);
        assert_true(now_monotonic() >= soon);
        assert_int_equal(read(silent, &c, 1), 0);
        assert_int_equal(take_head(&f, soon), 10);
        assert_int_equal(recv(patient, &c, 1, MSG_DONTWAIT), -1);
        fd_close(silent);
        fd_close(patient);
        fd_close(ready);
        fixture_close(&f);
}

/* What the system refuses is no fault of the client's: its connection rests, and has the time that it had.
 */
static void test_head_that_cannot_be_watched_rests(void **state)
{
        usec_t deadline = now_monotonic() + 60 * USEC_PER_SEC;
        int client;
        Fixture f;
        char c;

        (void) state;
        fixture_open(&f);
        client = park_head(&f, 10, deadline, HEAD_MOVES_MAX + 1);
        n_refusals = 3;
        while (n_refusals > 0)
                assert_true(sd_event_run(f.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(parking_count(f.parking), 1);
        assert_int_equal(recv(client, &c, 1, MSG_DONTWAIT), -1);
        assert_int_equal(write(client, "x", 1), 1);
        assert_int_equal(take_head(&f, deadline), 10);
        fd_close(client);
        fixture_close(&f);
}

/* A client that sends byte after byte costs a worker all of its head again only now and then. */
static void test_head_that_moves_often_rests(void **state)
{
        usec_t begin = now_monotonic(), deadline = begin + 60 * USEC_PER_SEC;
        Origin origin;
        Fixture f;
        int client, fd;

        (void) state;
        fixture_open(&f);
        client = park_head(&f, 10, deadline, HEAD_MOVES_MAX + 1);
        assert_int_equal(write(client, "x", 1), 1);
        run(&f);
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), -EAGAIN);
        assert_int_equal(take_head(&f, deadline), 10);
        assert_true(now_monotonic() - begin >= HEADS_INTERVAL);
        fd_close(client);

        client = park_head(&f, 10, begin, 255); /* its time is over */
        while (parking_count(f.parking) > 0)
                assert_true(sd_event_run(f.event, 10 * USEC_PER_SEC) > 0);
        fd_close(client);
        fixture_close(&f);
}

/* What has come by the deadline is in time: a worker gets it, also where the head rests. */
static void test_head_is_over_but_more_has_come(void **state)
{
        static const uint8_t moves[] = { 1, HEAD_MOVES_MAX + 1 };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(moves); i++) {
                usec_t deadline = now_monotonic();
                Fixture f;
                int client;

                fixture_open(&f);
                client = park_head_with(&f, 10, deadline, moves[i], "x");
                assert_int_equal(take_head(&f, deadline), 10);
                assert_int_equal(parking_count(f.parking), 0);
                fd_close(client);
                fixture_close(&f);
        }
}

static void test_heads_have_bounds(void **state)
{
        enum { SIZE = 1024 * 1024, N = HEADS_SIZE_MAX / SIZE };
        usec_t deadline = now_monotonic() + 60 * USEC_PER_SEC;
        int clients[N + 2];
        Fixture f;

        (void) state;
        fixture_open(&f);
        fd_close(park_head(&f, HANDOFF_HEAD_MAX + 1, deadline, 1));
        assert_int_equal(parking_count(f.parking), 0);

        for (size_t i = 0; i < N; i++)
                clients[i] = park_head(&f, SIZE, deadline, 1);
        assert_int_equal(parking_count(f.parking), N);
        clients[N] = park_head(&f, 1, deadline, 1);
        assert_int_equal(parking_count(f.parking), N); /* there was no room */
        fd_close(clients[0]);
        run(&f);
        clients[N + 1] = park_head(&f, 1, deadline, 1);
        assert_int_equal(parking_count(f.parking), N);
        for (size_t i = 1; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
        fixture_close(&f);
}

/* A head's descriptor counts as a connection's does. */
static void test_heads_count_as_descriptors(void **state)
{
        usec_t deadline = now_monotonic() + 60 * USEC_PER_SEC;
        int clients[FEW];
        rlim_t before;
        Fixture f;

        (void) state;
        before = set_limit(2 * FEW);
        fixture_open(&f);
        (void) set_limit(before);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                clients[i] = park_head(&f, 1, deadline, 1);
        assert_int_equal(parking_count(f.parking), FEW / 2);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
        fixture_close(&f);
}

/* At the end, what clients have said is handed out, and what they say then is left to the next manager. */
static void test_drain(void **state)
{
        int clients[MANY / 10];
        size_t received = 0;
        Origin origin;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
                clients[i] = park(&f);
                if (i % 2)
                        assert_int_equal(write(clients[i], "x", 1), 1);
        }
        parking_stop(f.parking);
        for (size_t i = 0; i < ELEMENTSOF(clients); i += 2)
                assert_int_equal(write(clients[i], "x", 1), 1);
        run(&f);
        while (take_over(f.worker, HANDOFF_WORKER, &origin, &fd) == 1) {
                fd_close(fd);
                received++;
                run(&f);
        }
        assert_int_equal(received, ELEMENTSOF(clients) / 2);
        assert_int_equal(parking_count(f.parking), ELEMENTSOF(clients) / 2);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
        fixture_close(&f);
}

static void on_status(const HandoffQuestion *question _unused_, int socket _unused_, void *userdata)
{
        (*(unsigned *) userdata)++;
}

/* What workers have handed in last is taken, whatever they ask in between. */
static void test_drain_behind_questions(void **state)
{
        int clients[FEW / 2], asker[2];
        unsigned n_questions = 0;
        size_t received = 0;
        Origin origin;
        Fixture f;
        int fd;

        (void) state;
        fixture_open(&f);
        parking_set_on_status(f.parking, on_status, &n_questions);
        open_stream(asker);
        for (size_t i = 0; i < ELEMENTSOF(clients); i++) {
                Handoff question = { .kind = HANDOFF_QUESTION, .fd = asker[0] };
                int pair[2];

                assert_int_equal(handoff_send(f.worker, &question), 0);
                open_stream(pair);
                clients[i] = pair[0];
                assert_int_equal(write(pair[0], "x", 1), 1);
                assert_int_equal(hand_off(f.worker, HANDOFF_PARK, &ORIGIN_UNIX, pair[1]), 0);
                fd_close(pair[1]);
        }
        parking_stop(f.parking);
        assert_int_equal(n_questions, ELEMENTSOF(clients));
        while (take_over(f.worker, HANDOFF_WORKER, &origin, &fd) == 1) {
                fd_close(fd);
                received++;
                run(&f);
        }
        assert_int_equal(received, ELEMENTSOF(clients));
        for (size_t i = 0; i < ELEMENTSOF(clients); i++)
                fd_close(clients[i]);
        fd_close(asker[0]);
        fd_close(asker[1]);
        fixture_close(&f);
}

/* A head that rests is looked at too: there is no later. */
static void test_drain_wakes_what_rests(void **state)
{
        usec_t deadline = now_monotonic() + 60 * USEC_PER_SEC;
        Origin origin;
        Fixture f;
        int client, fd;

        (void) state;
        fixture_open(&f);
        client = park_head(&f, 10, deadline, HEAD_MOVES_MAX + 1);
        assert_int_equal(write(client, "x", 1), 1);
        parking_stop(f.parking);
        assert_int_equal(take_over(f.worker, HANDOFF_WORKER, &origin, &fd), 1);
        origin_close_both(&origin, fd);
        fd_close(client);
        fixture_close(&f);
}

static void notify_socket(int *ret)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        char name[108];

        *ret = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(*ret >= 0);
        assert_int_equal(bind(*ret, (struct sockaddr *) &a, sizeof(sa_family_t)), 0); /* autobind: unix(7) */
        assert_int_equal(getsockname(*ret, (struct sockaddr *) &a, &(socklen_t) { sizeof a }), 0);
        (void) snprintf(name, sizeof name, "@%.5s", a.sun_path + 1);
        assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
}

/* A clean connection goes to systemd's store; one of which something was read is of no use there. */
static void test_heads_are_not_stored(void **state)
{
        usec_t deadline = now_monotonic() + 60 * USEC_PER_SEC;
        int clean, half, queued, notify, fds[4];
        size_t n_fds = 0;
        char text[256];
        Fixture f;

        (void) state;
        notify_socket(&notify);
        fixture_open(&f);
        clean = park(&f);
        half = park_head(&f, 10, deadline, 1);
        queued = park_head(&f, 10, deadline, 1);
        assert_int_equal(write(queued, "x", 1), 1);
        run(&f);
        parking_store(f.parking, 1024);
        assert_true(fd_receive(notify, text, sizeof text, fds, ELEMENTSOF(fds), &n_fds) > 0);
        assert_int_equal(n_fds, 1);
        fd_close(fds[0]);
        assert_int_equal(fd_receive(notify, text, sizeof text, fds, ELEMENTSOF(fds), &n_fds), -EAGAIN);
        fd_close(clean);
        fd_close(half);
        fd_close(queued);
        fd_close(notify);
        fixture_close(&f);
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
}

/* As many as systemd can pass to the next manager, and those first whose client waits for an answer. */
static void test_store_has_a_limit(void **state)
{
        int clients[FEW], notify, fd;
        char text[256], c;
        size_t n_fds = 0;
        Fixture f;
        ssize_t n;

        (void) state;
        notify_socket(&notify);
        fixture_open(&f);
        for (size_t i = 0; i < FEW; i++)
                clients[i] = park(&f);
        parking_stop(f.parking);
        assert_int_equal(write(clients[FEW - 1], "x", 1), 1);
        parking_store(f.parking, 2 * (STORED + STORE_SPARE));
        for (size_t i = 0; i < STORED; i++) {
                n = fd_receive(notify, text, sizeof text - 1, &fd, 1, &n_fds);
                assert_true(n > 0);
                text[n] = 0;
                assert_string_equal(text, "FDSTORE=1\nFDNAME=parked"); /* as other versions know it */
                assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), i == 0 ? 1 : -1);
                fd_close(fd);
        }
        assert_int_equal(fd_receive(notify, text, sizeof text, &fd, 1, &n_fds), -EAGAIN);
        parking_store(f.parking, STORE_SPARE);
        assert_int_equal(fd_receive(notify, text, sizeof text, &fd, 1, &n_fds), -EAGAIN);
        for (size_t i = 0; i < FEW; i++)
                fd_close(clients[i]);
        fd_close(notify);
        fixture_close(&f);
        assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
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
                cmocka_unit_test(test_head_goes_along),
                cmocka_unit_test(test_head_has_a_deadline),
                cmocka_unit_test(test_head_is_over_but_more_has_come),
                cmocka_unit_test(test_head_that_cannot_be_watched_rests),
                cmocka_unit_test(test_head_that_moves_often_rests),
                cmocka_unit_test(test_heads_have_bounds),
                cmocka_unit_test(test_heads_count_as_descriptors),
                cmocka_unit_test(test_drain),
                cmocka_unit_test(test_drain_behind_questions),
                cmocka_unit_test(test_drain_wakes_what_rests),
                cmocka_unit_test(test_heads_are_not_stored),
                cmocka_unit_test(test_store_has_a_limit),
                cmocka_unit_test(test_malformed),
        };
        struct rlimit limit;

        /* The soft limit of 1024 is for programs that use select(2). */
        (void) getrlimit(RLIMIT_NOFILE, &limit);
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);

        return cmocka_run_group_tests(tests, NULL, NULL);
}
