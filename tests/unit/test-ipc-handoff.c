/* SPDX-License-Identifier: MIT */

/* Connections between manager and workers: one message, one descriptor, and nothing leaks. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helpers/fds.h"
#include "ipc/handoff.h"

static void test_the_same_connection(void **state _unused_)
{
        const Handoff origin = { .unix_socket = true };
        int pair[2], connection[2], fd = -EBADF;
        size_t before = count_fds();
        Handoff got;
        char c;

        open_queue(pair);
        open_stream(connection);
        assert_int_equal(handoff_receive(pair[1], &got, &fd), -EAGAIN);
        assert_int_equal(fd, -EBADF);

        assert_int_equal(handoff_send(pair[0], &origin, connection[0]), 0);
        fd_close(connection[0]); /* it lives in the queue */
        assert_int_equal(handoff_receive(pair[1], &got, &fd), 1);
        assert_true(got.unix_socket);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);

        assert_int_equal(send(fd, "x", 1, 0), 1);
        assert_int_equal(recv(connection[1], &c, 1, 0), 1);
        fd_close(fd);
        assert_int_equal(recv(connection[1], &c, 1, 0), 0);
        fd_close(connection[1]);
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_full_queue(void **state _unused_)
{
        size_t before = count_fds(), sent = 0, received = 0;
        int pair[2], r, fd;
        Handoff got;

        open_queue(pair);
        do
                r = handoff_send(pair[0], &(Handoff) { .unix_socket = sent % 3 == 0 }, pair[0]);
        while (r == 0 && ++sent);
        assert_int_equal(r, -EAGAIN);
        assert_true(sent > 0);

        while (handoff_receive(pair[1], &got, &fd) == 1) {
                assert_int_equal(got.unix_socket, received % 3 == 0);
                received++;
                fd_close(fd);
        }
        assert_int_equal(received, sent);
        assert_int_equal(handoff_send(pair[0], &(Handoff) {}, pair[0]), 0);
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

static void test_other_side_gone(void **state _unused_)
{
        int pair[2], fd = -EBADF;
        Handoff got;

        open_queue(pair);
        assert_int_equal(handoff_send(pair[0], &(Handoff) {}, STDOUT_FILENO), 0);
        pair[0] = fd_close(pair[0]);
        assert_int_equal(handoff_receive(pair[1], &got, &fd), 1); /* what was handed over still counts */
        fd_close(fd);
        assert_int_equal(handoff_receive(pair[1], &got, &fd), 0);
        assert_int_equal(handoff_send(pair[1], &(Handoff) {}, STDOUT_FILENO), -EPIPE);
        close_pair(pair);

        open_queue(pair);
        assert_int_equal(handoff_send(pair[1], &(Handoff) {}, STDOUT_FILENO), 0);
        pair[0] = fd_close(pair[0]); /* without having read it */
        assert_int_equal(handoff_receive(pair[1], &got, &fd), 0);
        close_pair(pair);
}

static void test_refused(void **state _unused_)
{
        static const struct {
                size_t size, n_fds;
                int error;
        } cases[] = {
                { sizeof(Handoff), 0, -EBADMSG },
                { sizeof(Handoff), 2, -EBADMSG },
                { sizeof(Handoff), 3, -EXFULL },
                { sizeof(Handoff) + 1, 1, -EMSGSIZE },
                { 0, 1, -EBADMSG },
        };
        static const uint8_t bytes[sizeof(Handoff) + 1];
        size_t before = count_fds();
        int pair[2];

        open_queue(pair);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                int fds[] = { pair[0], pair[1], pair[0] }, fd = -EBADF;
                Handoff got;

                assert_int_equal(fd_send(pair[0], bytes, cases[i].size, fds, cases[i].n_fds, 0), 0);
                assert_int_equal(handoff_receive(pair[1], &got, &fd), cases[i].error);
                assert_int_equal(fd, -EBADF);
        }
        close_pair(pair);
        assert_int_equal(count_fds(), before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_the_same_connection),
                cmocka_unit_test(test_full_queue),
                cmocka_unit_test(test_other_side_gone),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
