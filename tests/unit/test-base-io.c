/* SPDX-License-Identifier: MIT */

/* Reading and writing whole things. */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"

static int new_file(const void *data, size_t size)
{
        int fd = memfd_create("test", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(io_write_all(fd, data, size), 0);
        return fd;
}

static void test_read_file(void **state _unused_)
{
        const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 100000 };

        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                _cleanup_(freep) char *content = malloc(sizes[i] + 1);
                _cleanup_(freep) void *data = NULL;
                _cleanup_(fd_closep) int fd = -EBADF;
                size_t size = 77;

                assert_non_null(content);
                memset(content, 'x', sizes[i]);
                fd = new_file(content, sizes[i]);

                assert_int_equal(io_read_file(fd, sizes[i], &data, &size), 0);
                assert_int_equal(size, sizes[i]);
                assert_memory_equal(data, content, size);
                assert_int_equal(((char *) data)[size], 0);
        }
}

static void test_read_file_too_large(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = new_file("hello", 5);
        _cleanup_(freep) void *data = NULL;
        size_t size = 77;

        assert_int_equal(io_read_file(fd, 4, &data, &size), -EFBIG);
        assert_int_equal(io_read_file(fd, 0, &data, &size), -EFBIG);
        assert_null(data);
        assert_int_equal(size, 77);
        assert_int_equal(io_read_file(fd, 5, &data, NULL), 0);
        assert_string_equal(data, "hello");
}

/* Once, max + 1 was computed for every max, and SIZE_MAX read nothing. */
static void test_read_file_without_limit(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = new_file("hello", 5);
        _cleanup_(freep) void *data = NULL;
        size_t size;

        assert_int_equal(io_read_file(fd, SIZE_MAX, &data, &size), 0);
        assert_int_equal(size, 5);
}

/* The offset of the descriptor neither matters nor changes. */
static void test_read_file_keeps_offset(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = new_file("hello", 5);
        _cleanup_(freep) void *data = NULL;

        assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
        assert_int_equal(io_read_file(fd, 100, &data, NULL), 0);
        assert_string_equal(data, "hello");
        assert_int_equal(lseek(fd, 0, SEEK_CUR), 2);
}

/* procfs says that its files have 0 bytes. */
static void test_read_file_of_no_size(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
        _cleanup_(freep) void *data = NULL;
        size_t size;

        assert_true(fd >= 0);
        assert_int_equal(io_read_file(fd, 1 << 20, &data, &size), 0);
        assert_true(size > 0 && startswith(data, "Name:"));
}

static void test_read_file_errors(void **state _unused_)
{
        _cleanup_(fd_closep) int directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), endless = -EBADF;
        void *data = NULL;
        int fds[2];

        assert_int_equal(io_read_file(directory, 100, &data, NULL), -EISDIR);
        assert_int_equal(io_read_file(-1, 100, &data, NULL), -EBADF);

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(io_read_file(fds[0], 100, &data, NULL), -ESPIPE);
        close(fds[0]);
        close(fds[1]);

        endless = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        assert_int_equal(io_read_file(endless, 1 << 20, &data, NULL), -EFBIG);
        assert_null(data);
}

static void on_alarm(int signal _unused_)
{
}

/* Reads all that comes, slowly. */
static void *drain(void *fd)
{
        static char buffer[1000];
        size_t sum = 0;
        ssize_t n;

        while ((n = read(*(int *) fd, buffer, sizeof buffer)) != 0)
                if (n > 0)
                        sum += (size_t) n;
        return (void *) sum;
}

/* A pipe takes it in parts, and signals come between and within them. */
static void test_write_all_in_parts(void **state _unused_)
{
        const struct sigaction action = { .sa_handler = on_alarm }; /* without SA_RESTART */
        const struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = {};
        const size_t size = 4 << 20;
        _cleanup_(freep) char *content = calloc(1, size);
        pthread_t thread;
        void *sum;
        int fds[2];

        assert_non_null(content);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        assert_int_equal(pthread_create(&thread, NULL, drain, &fds[0]), 0);
        assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
        assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);

        assert_int_equal(io_write_all(fds[1], content, size), 0);

        assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
        close(fds[1]);
        assert_int_equal(pthread_join(thread, &sum), 0);
        assert_int_equal((size_t) sum, size);
        close(fds[0]);
}

static void test_write_all_errors(void **state _unused_)
{
        _cleanup_(fd_closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

        assert_int_equal(io_write_all(full, "x", 1), -ENOSPC);
        assert_int_equal(io_write_all(-1, "x", 1), -EBADF);
        assert_int_equal(io_write_all(-1, NULL, 0), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read_file),
                cmocka_unit_test(test_read_file_too_large),
                cmocka_unit_test(test_read_file_without_limit),
                cmocka_unit_test(test_read_file_keeps_offset),
                cmocka_unit_test(test_read_file_of_no_size),
                cmocka_unit_test(test_read_file_errors),
                cmocka_unit_test(test_write_all_in_parts),
                cmocka_unit_test(test_write_all_errors),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
