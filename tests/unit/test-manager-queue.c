/* SPDX-License-Identifier: MIT */

/* The queue, with real sockets that listen and nobody who accepts. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/fds.h"
#include "ipc/handoff.h"
#include "manager/traffic/queue.h"

#define BACKLOG 7
#define CLIENTS 3

typedef union Address {
        struct sockaddr any;
        struct sockaddr_un un;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
} Address;

typedef struct Fixture {
        sd_event *event;
        Parking *parking;
        Listen listen;
        Queue *queue;
        int clients[CLIENTS * INHERIT_LISTEN_MAX];
        size_t n_clients;
} Fixture;

static void on_change(void *userdata _unused_)
{
}

/* Listens on an address that the kernel chooses: autobind for Unix sockets, an ephemeral port. */
static void listen_on(Fixture *f, int family)
{
        Address a = { .any.sa_family = (sa_family_t) family };
        int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        socklen_t size = family == AF_UNIX ? sizeof a.any.sa_family
                         : family == AF_INET ? sizeof a.in : sizeof a.in6;

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, &a.any, size), 0);
        assert_int_equal(listen(fd, BACKLOG), 0);
        f->listen.sockets[f->listen.n++].fd = fd;
}

static void fixture_open(Fixture *f, const int *families, size_t n)
{
        *f = (Fixture) {};
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(parking_new(f->event, on_change, f, &f->parking), 0);
        for (size_t i = 0; i < n; i++)
                listen_on(f, families[i]);
        assert_int_equal(queue_new(&f->listen, f->parking, &f->queue), 0);
}

static void fixture_close(Fixture *f)
{
        queue_free(f->queue);
        for (size_t i = 0; i < f->n_clients; i++)
                fd_close(f->clients[i]);
        listen_close(&f->listen);
        parking_free(f->parking);
        sd_event_unref(f->event);
}

static void connect_client(Fixture *f, size_t i)
{
        Address a;
        socklen_t size = sizeof a;
        int fd;

        assert_int_equal(getsockname(f->listen.sockets[i].fd, &a.any, &size), 0);
        fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, &a.any, size), 0);
        f->clients[f->n_clients++] = fd;
}

static void accept_one(Fixture *f, size_t i)
{
        struct pollfd p = { .fd = f->listen.sockets[i].fd, .events = POLLIN };

        assert_int_equal(poll(&p, 1, 10000), 1);
        fd_close(accept4(f->listen.sockets[i].fd, NULL, NULL, SOCK_CLOEXEC));
}

static void assert_count(Fixture *f, uint64_t length, uint64_t highest, uint64_t limit)
{
        QueueCount count = queue_look(f->queue);

        assert_int_equal(count.length, length);
        assert_int_equal(count.highest, highest);
        assert_int_equal(count.limit, limit);
        assert_int_equal(queue_waiting(f->queue), length > 0);
}

static void check_family(int family)
{
        Fixture f;

        fixture_open(&f, &family, 1);
        assert_count(&f, 0, 0, BACKLOG);
        for (uint64_t i = 1; i <= CLIENTS; i++) {
                connect_client(&f, 0);
                assert_count(&f, i, i, BACKLOG);
        }
        accept_one(&f, 0);
        assert_count(&f, CLIENTS - 1, CLIENTS, BACKLOG);
        while (f.n_clients > 0)
                fd_close(f.clients[--f.n_clients]);
        for (size_t i = 1; i < CLIENTS; i++)
                accept_one(&f, 0);
        assert_count(&f, 0, CLIENTS, BACKLOG);
        fixture_close(&f);
}

static void test_unix(void **state _unused_)
{
        check_family(AF_UNIX);
}

static void test_tcp(void **state _unused_)
{
        check_family(AF_INET);
}

static void test_tcp6(void **state _unused_)
{
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
        bool has_ipv6 = fd >= 0 && bind(fd, (const struct sockaddr *) &a, sizeof a) == 0;

        fd_close(fd);
        if (!has_ipv6)
                skip();
        check_family(AF_INET6);
}

/* Sockets add up, whatever their kind; what was parked and speaks again waits too. */
static void test_sum(void **state _unused_)
{
        const int families[] = { AF_UNIX, AF_INET, AF_UNIX };
        int pair[2];
        Fixture f;

        fixture_open(&f, families, ELEMENTSOF(families));
        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                connect_client(&f, i);
        connect_client(&f, 0);
        assert_count(&f, 4, 4, 3 * BACKLOG);

        open_stream(pair);
        assert_int_equal(parking_adopt(f.parking, PROTOCOL_FASTCGI, pair[1]), 0);
        assert_count(&f, 4, 4, 3 * BACKLOG);
        assert_int_equal(write(pair[0], "x", 1), 1);
        while (sd_event_run(f.event, 0) > 0)
                ;
        assert_count(&f, 5, 5, 3 * BACKLOG);
        fd_close(pair[0]);
        fixture_close(&f);
}

/* Without an answer of the kernel's, what waits is still noticed, only not counted. */
static void test_unknown_socket(void **state _unused_)
{
        const int family = AF_UNIX;
        int other = -EBADF;
        Fixture f;

        fixture_open(&f, &family, 1);
        connect_client(&f, 0);
        other = f.listen.sockets[0].fd;
        /* The queue remembers the inode: under that number, another socket is found no more. */
        f.listen.sockets[0].fd = -EBADF;
        assert_true(queue_waiting(f.queue));
        fd_close(other);
        assert_int_equal(queue_look(f.queue).length, 0);
        assert_int_equal(queue_look(f.queue).limit, 0);
        fixture_close(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unix),
                cmocka_unit_test(test_tcp),
                cmocka_unit_test(test_tcp6),
                cmocka_unit_test(test_sum),
                cmocka_unit_test(test_unknown_socket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
