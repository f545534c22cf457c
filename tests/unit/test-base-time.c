/* SPDX-License-Identifier: MIT */

/* Times: sums and differences at their bounds, and a timer that always elapses. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <poll.h>
#include <sys/timerfd.h>

#include "base/fd.h"
#include "base/time.h"

static void test_sums(void **state _unused_)
{
        static const struct {
                usec_t a, b, sum, difference;
        } cases[] = {
                { 0, 0, 0, 0 },
                { 5, 3, 8, 2 },
                { 3, 5, 8, 0 },
                { 5, 5, 10, 0 },
                { USEC_INFINITY, 0, USEC_INFINITY, USEC_INFINITY },
                { 0, USEC_INFINITY, USEC_INFINITY, 0 },
                { USEC_INFINITY, 1, USEC_INFINITY, USEC_INFINITY - 1 },
                { 1, USEC_INFINITY, USEC_INFINITY, 0 },
                { USEC_INFINITY - 1, 1, USEC_INFINITY, USEC_INFINITY - 2 },
                { USEC_INFINITY - 1, 2, USEC_INFINITY, USEC_INFINITY - 3 },
                { USEC_INFINITY, USEC_INFINITY, USEC_INFINITY, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(usec_add(cases[i].a, cases[i].b), cases[i].sum);
                assert_int_equal(usec_sub(cases[i].a, cases[i].b), cases[i].difference);
        }
}

/* CLOCK_MONOTONIC began with the machine; CLOCK_REALTIME counts from 1970, in microseconds. */
static void test_clocks(void **state _unused_)
{
        usec_t begin = now_monotonic();

        assert_true(begin > 0);
        assert_true(now_monotonic() >= begin);
        assert_true(now_realtime() > (usec_t) 1600000000 * USEC_PER_SEC);
        assert_true(now_realtime() < (usec_t) 16000000000 * USEC_PER_SEC);
}

/* What is left of a timer that was started for so long. */
static usec_t left(usec_t after)
{
        _cleanup_(fd_closep) int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        struct itimerspec spec;

        assert_true(fd >= 0);
        assert_int_equal(timer_start(fd, after), 0);
        assert_int_equal(timerfd_gettime(fd, &spec), 0);
        assert_int_equal(spec.it_interval.tv_sec, 0);
        assert_int_equal(spec.it_interval.tv_nsec, 0);
        return (usec_t) spec.it_value.tv_sec * USEC_PER_SEC + (usec_t) spec.it_value.tv_nsec / 1000;
}

static void test_timer(void **state _unused_)
{
        static const usec_t hour = 3600 * USEC_PER_SEC;
        struct pollfd p = { .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
                            .events = POLLIN };

        assert_true(left(hour + 999999) > hour - 60 * USEC_PER_SEC);
        assert_true(left(hour + 999999) <= hour + 999999);

        /* 0 disarms a timerfd: the next moment is meant. */
        assert_true(p.fd >= 0);
        assert_int_equal(timer_start(p.fd, 0), 0);
        assert_int_equal(poll(&p, 1, 30000), 1);
        fd_close(p.fd);
        assert_int_equal(timer_start(-EBADF, 1), -EBADF);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sums),
                cmocka_unit_test(test_clocks),
                cmocka_unit_test(test_timer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
