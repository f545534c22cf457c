/* SPDX-License-Identifier: MIT */

/* How many connections the descriptor store may have, and what systemd is told of one. */

#include "helpers/unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helpers/fds.h"
#include "helpers/handoff.h"
#include "manager/traffic/store.h"

static void test_max(void **state _unused_)
{
        static const struct {
                uint64_t limit;
                size_t max;
        } cases[] = {
                { 0, 0 },
                { 2 * STORE_SPARE, 0 },
                { 2 * STORE_SPARE + 1, 0 },
                { 2 * STORE_SPARE + 2, 1 },
                { 1024, 448 },
                { 2 * (STORE_MAX + STORE_SPARE), STORE_MAX },
                { 524288, STORE_MAX },
                { UINT64_MAX, STORE_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(store_max(cases[i].limit), cases[i].max);
}

/* systemd's socket, in the abstract namespace. */
static int open_notify_socket(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), n;

        assert_true(fd >= 0);
        n = snprintf(address.sun_path, sizeof address.sun_path, "@php-pool-test-store-%d", getpid());
        assert_int_equal(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
        address.sun_path[0] = 0;
        assert_int_equal(bind(fd, (struct sockaddr *) &address,
                              (socklen_t) (offsetof(struct sockaddr_un, sun_path) + (size_t) n)),
                         0);
        return fd;
}

static void test_connection(void **state _unused_)
{
        static const char expected[] = "FDSTORE=1\nFDNAME=parked";
        const Origin with_head = { .head = STDIN_FILENO, .moves = 1, .deadline = 1 };
        size_t before = count_fds(), left = 1, n_fds;
        int notify = open_notify_socket(), pair[2], fd;
        char text[256];

        open_stream(pair);
        store_connection(&with_head, pair[0], &left);
        assert_int_equal(left, 1);
        assert_int_equal(fd_receive(notify, text, sizeof text, &fd, 1, &n_fds), -EAGAIN);

        store_connection(&ORIGIN_UNIX, pair[0], &left);
        assert_int_equal(left, 0);
        assert_int_equal(fd_receive(notify, text, sizeof text, &fd, 1, &n_fds), strlen(expected));
        assert_memory_equal(text, expected, strlen(expected));
        assert_int_equal(n_fds, 1);
        fd_close(fd);

        store_connection(&ORIGIN_UNIX, pair[0], &left); /* no room */
        assert_int_equal(fd_receive(notify, text, sizeof text, &fd, 1, &n_fds), -EAGAIN);
        close_pair(pair);
        fd_close(notify);
        assert_int_equal(count_fds(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_max),
                cmocka_unit_test(test_connection),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
