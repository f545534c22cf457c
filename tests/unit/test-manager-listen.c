/* SPDX-License-Identifier: MIT */

/* What a descriptor is for that systemd passed, by its name; a pool does not start on one it cannot use. */

#include "helpers/unit.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/child.h"
#include "manager/traffic/listen.h"

static void test_use_of_name(void **state _unused_)
{
        static const struct {
                const char *name;
                ListenUse use;
                int error;
        } cases[] = {
                { "fastcgi", LISTEN_SERVE, 0 },
                { "unknown", LISTEN_SERVE, 0 }, /* systemd's, for what has no name */
                { "php-pool@www.socket", LISTEN_SERVE, 0 },
                { "", LISTEN_SERVE, 0 },
                { "fastcgi2", LISTEN_SERVE, 0 },
                { "STATUS", LISTEN_SERVE, 0 },
                { "status", LISTEN_STATUS, 0 },
                { "control", LISTEN_CONTROL, 0 },
                { "parked", LISTEN_PARKED, 0 },
                { "http", 0, -EPROTONOSUPPORT },
                { "agent", 0, -EPROTONOSUPPORT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Protocol protocol = _PROTOCOL_MAX;
                ListenUse use = 99;

                assert_int_equal(listen_use_of_name(cases[i].name, &use, &protocol), cases[i].error);
                if (cases[i].error < 0)
                        continue;
                assert_int_equal(use, cases[i].use);
                if (use == LISTEN_SERVE || use == LISTEN_PARKED)
                        assert_int_equal(protocol, PROTOCOL_FASTCGI);
        }
}

/* A Unix socket that listens, as this descriptor. */
static void listen_at(int fd)
{
        const struct sockaddr_un any = { .sun_family = AF_UNIX };
        int s = socket(AF_UNIX, SOCK_STREAM, 0);

        assert_true(s >= 0);
        assert_int_equal(bind(s, (const struct sockaddr *) &any, sizeof any.sun_family), 0); /* autobind */
        assert_int_equal(listen(s, 1), 0);
        if (s != fd) {
                assert_int_equal(dup2(s, fd), fd);
                fd_close(s);
        }
}

/* In a child of its own, since systemd's descriptors have fixed numbers: takes them, by these names. */
static int take(const char *names, size_t n, Listen *ret)
{
        char pid[16], count[16];

        for (size_t i = 0; i < n; i++)
                listen_at(3 + (int) i);
        (void) snprintf(pid, sizeof pid, "%d", getpid());
        (void) snprintf(count, sizeof count, "%zu", n);
        assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
        assert_int_equal(setenv("LISTEN_FDS", count, 1), 0);
        assert_int_equal(setenv("LISTEN_FDNAMES", names, 1), 0);
        return listen_take("www", ret);
}

static void take_each(void)
{
        Listen l;

        assert_int_equal(take("fastcgi:status:parked:control:other", 5, &l), 0);
        assert_int_equal(l.n, 2);
        assert_int_equal(l.sockets[0].fd, 3);
        assert_int_equal(l.sockets[0].protocol, PROTOCOL_FASTCGI);
        assert_int_equal(l.sockets[1].fd, 7);
        assert_int_equal(l.sockets[1].protocol, PROTOCOL_FASTCGI);
        assert_int_equal(l.n_status, 1);
        assert_int_equal(l.status[0], 4);
        assert_int_equal(l.n_parked, 1);
        assert_int_equal(l.parked[0].fd, 5);
        assert_int_equal(l.parked[0].protocol, PROTOCOL_FASTCGI);
        assert_int_equal(l.control, 6);
        assert_false(l.over_ip);
        listen_close(&l);
        assert_int_equal(l.control, -EBADF);
}

static void take_unknown_protocol(void)
{
        Listen l;

        assert_int_equal(take("fastcgi:http", 2, &l), -EPROTONOSUPPORT);
}

static void take_status_alone(void)
{
        Listen l;

        assert_int_equal(take("status:control", 2, &l), -ENOTCONN);
}

static void in_child(void (*function)(void))
{
        pid_t pid = fork_child();

        if (pid == 0) {
                function();
                _exit(0);
        }
        expect_exit(pid, 0);
}

static void test_take(void **state _unused_)
{
        in_child(take_each);
        in_child(take_unknown_protocol);
        in_child(take_status_alone);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_use_of_name),
                cmocka_unit_test(test_take),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
