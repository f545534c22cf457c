/* SPDX-License-Identifier: MIT */

/* Descriptors: flags, closing all but some, sealed memfds, and what happens to those that are passed. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/child.h"
#include "helpers/fds.h"

static int open_null(void)
{
        int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static bool is_open(int fd)
{
        return fcntl(fd, F_GETFD) >= 0;
}

static void test_close(void **state _unused_)
{
        int fd = open_null();

        errno = ENOTTY;
        assert_int_equal(fd_close(fd), -EBADF);
        assert_false(is_open(fd));
        errno = ENOTTY;
        assert_int_equal(fd_close(fd), -EBADF); /* close(2) fails */
        assert_int_equal(errno, ENOTTY);
        assert_int_equal(fd_close(-EBADF), -EBADF);
        assert_int_equal(errno, ENOTTY);
}

static void test_flags(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = open_null();

        assert_int_equal(fd_cloexec(fd, false), 0);
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        assert_int_equal(fd_cloexec(fd, true), 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fd_nonblock(fd, true), 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_nonblock(fd, false), 0);
        assert_false(fcntl(fd, F_GETFL) & O_NONBLOCK);
        assert_int_equal(fd_cloexec(-1, true), -EBADF);
        assert_int_equal(fd_nonblock(-1, true), -EBADF);
}

/* In a child: closes all but what is asked for, and says with its exit status what is left. */
static int close_all_in_child(void)
{
        int a = dup(0), b = dup(0), c = dup(0), far = fcntl(0, F_DUPFD, 500), keep[] = { far, -1, b, 1, b };

        if (a < 0 || b < 0 || c < 0 || far < 500)
                return 1;
        if (fd_close_all_except(keep, ELEMENTSOF(keep)) != 0)
                return 2;
        if (is_open(a) || is_open(c) || !is_open(b) || !is_open(far))
                return 3;
        if (!is_open(0) || !is_open(1) || !is_open(2))
                return 4;
        if (fd_close_all_except(NULL, 0) != 0 || is_open(b) || is_open(far) || !is_open(2))
                return 5;
        return 0;
}

static void test_close_all_except(void **state _unused_)
{
        int many[FD_PASS_MAX * 2 + 1] = {};
        pid_t pid = fork_child();

        if (pid == 0)
                _exit(close_all_in_child());
        expect_exit(pid, 0);

        assert_int_equal(fd_close_all_except(many, ELEMENTSOF(many)), -E2BIG);
}

static void test_sealed_memfd(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = -EBADF, empty = -EBADF;
        char buffer[8];

        assert_int_equal(fd_new_sealed_memfd("test", "hello", 5, &fd), 0);
        assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
        assert_int_equal(pread(fd, buffer, sizeof buffer, 0), 5);
        assert_memory_equal(buffer, "hello", 5);
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        assert_int_equal(ftruncate(fd, 0), -1);

        assert_int_equal(fd_new_sealed_memfd("test", NULL, 0, &empty), 0);
        assert_int_equal(pread(empty, buffer, sizeof buffer, 0), 0);
}

static void test_null(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
        size_t n = count_fds();
        int free_fd;
        char c;

        assert_true(fd >= 0);
        assert_int_equal(fd_null(fd), 0);
        assert_int_equal(read(fd, &c, 1), 0);
        assert_int_equal(write(fd, "x", 1), 1);
        assert_int_equal(fcntl(fd, F_GETFD), 0);
        assert_int_equal(count_fds(), n);

        /* The number that open(2) gives anyway. */
        free_fd = open_null();
        close(free_fd);
        assert_int_equal(fd_null(free_fd), 0);
        assert_int_equal(write(free_fd, "x", 1), 1);
        assert_int_equal(fcntl(free_fd, F_GETFD), 0);
        close(free_fd);
        assert_int_equal(count_fds(), n);
}

typedef struct Pair {
        int a, b;
        size_t n_fds; /* open ones at the start */
} Pair;

static int set_up_pair(void **state)
{
        static Pair pair;
        int fds[2];

        pair.n_fds = count_fds();
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
                return -1;
        pair.a = fds[0];
        pair.b = fds[1];
        *state = &pair;
        return 0;
}

/* Whatever a test did, it left no descriptor behind. */
static int tear_down_pair(void **state)
{
        Pair *pair = *state;

        fd_close(pair->a);
        fd_close(pair->b);
        return count_fds() == pair->n_fds ? 0 : -1;
}

static void test_send_receive(void **state)
{
        Pair *pair = *state;
        int sent[2] = { open_null(), open_null() }, got[FD_PASS_MAX];
        char buffer[16];
        size_t n = 77;

        assert_int_equal(fd_send(pair->a, "hello", 5, sent, 2, 0), 0);
        assert_true(is_open(sent[0]) && is_open(sent[1]));
        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, got, ELEMENTSOF(got), &n), 5);
        assert_memory_equal(buffer, "hello", 5);
        assert_int_equal(n, 2);
        for (size_t i = 0; i < n; i++) {
                assert_int_equal(fcntl(got[i], F_GETFD), FD_CLOEXEC);
                fd_close(got[i]);
                fd_close(sent[i]);
        }

        assert_int_equal(fd_send(pair->a, "x", 1, NULL, 0, 0), 0);
        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, NULL, 0, &n), 1);
        assert_int_equal(n, 0);
}

static void test_receive_nothing(void **state)
{
        Pair *pair = *state;
        char buffer[16];
        size_t n = 77;

        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, NULL, 0, &n), -EAGAIN);
        assert_int_equal(n, 77);
        pair->a = fd_close(pair->a);
        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, NULL, 0, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(fd_send(pair->b, "x", 1, NULL, 0, 0), -EPIPE);
        assert_int_equal(fd_receive(-1, buffer, sizeof buffer, NULL, 0, &n), -EBADF);
}

/* tear_down_pair() sees that what is refused is closed. */
static void test_receive_too_many(void **state)
{
        Pair *pair = *state;
        _cleanup_(fd_closep) int fd = open_null();
        int sent[3] = { fd, fd, fd }, got[2];
        char buffer[16];
        size_t n = 77, before = count_fds();

        assert_int_equal(fd_send(pair->a, "hello", 5, sent, 3, 0), 0);
        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, got, 2, &n), -EXFULL);
        assert_int_equal(n, 77);
        assert_int_equal(count_fds(), before);

        assert_int_equal(fd_send(pair->a, "hello", 5, sent, 1, 0), 0);
        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, NULL, 0, &n), -EXFULL);
        assert_int_equal(count_fds(), before);
}

static void test_receive_too_long(void **state)
{
        Pair *pair = *state;
        _cleanup_(fd_closep) int fd = open_null();
        char buffer[4];
        size_t n = 77, before = count_fds();
        int got[2];

        assert_int_equal(fd_send(pair->a, "hello", 5, &fd, 1, 0), 0);
        assert_int_equal(fd_receive(pair->b, buffer, sizeof buffer, got, 2, &n), -EMSGSIZE);
        assert_int_equal(n, 77);
        assert_int_equal(count_fds(), before);
}

static void test_pass_most(void **state)
{
        Pair *pair = *state;
        int fds[FD_PASS_MAX + 1], got[FD_PASS_MAX];
        char c;
        size_t n;

        for (size_t i = 0; i < ELEMENTSOF(fds); i++)
                fds[i] = pair->a;
        assert_int_equal(fd_send(pair->a, "x", 1, fds, FD_PASS_MAX + 1, 0), -E2BIG);
        assert_int_equal(fd_send(pair->a, "x", 1, fds, FD_PASS_MAX, 0), 0);
        assert_int_equal(fd_receive(pair->b, &c, 1, got, FD_PASS_MAX, &n), 1);
        assert_int_equal(n, FD_PASS_MAX);
        for (size_t i = 0; i < n; i++)
                fd_close(got[i]);
}

/* A peer of another build sends more than the buffer for descriptors holds. */
static void test_receive_cut_control(void **state)
{
        enum { N = FD_PASS_MAX + 10 };
        Pair *pair = *state;
        union {
                struct cmsghdr header;
                uint8_t buffer[CMSG_SPACE(sizeof(int) * N)];
        } control = { .header = { CMSG_LEN(sizeof(int) * N), SOL_SOCKET, SCM_RIGHTS } };
        struct iovec iov = { (char *) "x", 1 };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        int fds[N], got[FD_PASS_MAX];
        size_t n = 77, before = count_fds();
        char c;

        for (size_t i = 0; i < N; i++)
                fds[i] = pair->a;
        memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
        assert_int_equal(sendmsg(pair->a, &message, 0), 1);
        assert_int_equal(fd_receive(pair->b, &c, 1, got, FD_PASS_MAX, &n), -EXFULL);
        assert_int_equal(count_fds(), before);
}

static void test_send_full(void **state)
{
        Pair *pair = *state;
        int r;

        do
                r = fd_send(pair->a, "x", 1, NULL, 0, 0);
        while (r == 0);
        assert_int_equal(r, -EAGAIN);
}

#define pair_test(f) cmocka_unit_test_setup_teardown(f, set_up_pair, tear_down_pair)

static void test_limit(void **state)
{
        uint64_t before, raised;

        (void) state;
        assert_int_equal(fd_raise_limit(&before), 0);
        assert_int_equal(fd_raise_limit(&raised), 0);
        assert_true(raised >= before);
        assert_int_equal(fd_set_limit(before), 0);
        assert_int_equal(fd_raise_limit(&raised), 0);
        assert_int_equal(raised, before);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_limit),
                cmocka_unit_test(test_close),
                cmocka_unit_test(test_flags),
                cmocka_unit_test(test_close_all_except),
                cmocka_unit_test(test_sealed_memfd),
                cmocka_unit_test(test_null),
                pair_test(test_send_receive),
                pair_test(test_receive_nothing),
                pair_test(test_receive_too_many),
                pair_test(test_receive_too_long),
                pair_test(test_pass_most),
                pair_test(test_receive_cut_control),
                pair_test(test_send_full),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
