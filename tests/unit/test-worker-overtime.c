/* SPDX-License-Identifier: MIT */

/* The worker's side of a request's time limits: who starts the manager's timer, and what a signal does. */

#include "helpers/unit.h"

#include <signal.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/child.h"
#include "ipc/exit-status.h"
#include "ipc/messages.h"
#include "worker/serve/overtime.h"

#define SLOT 1
#define HOUR (3600 * USEC_PER_SEC)

static volatile sig_atomic_t n_interrupts;

static void on_interrupt(void)
{
        n_interrupts++;
}

typedef struct Fixture {
        WorkerContext context;
        Config config;
} Fixture;

static void fixture_open(Fixture *f, usec_t terminate, usec_t slowlog)
{
        *f = (Fixture){
                .config = { .request_terminate_timeout = terminate, .request_slowlog_timeout = slowlog },
                .context.inherit.limit = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
        };
        f->context.config = &f->config;
        assert_int_equal(scoreboard_new(SLOT + 1, &f->context.board), 0);
        scoreboard_offer_timer(f->context.board);
        scoreboard_reserve(f->context.board, SLOT);
        assert_int_equal(scoreboard_attach(f->context.board, SLOT), 0);
}

static void fixture_close(Fixture *f)
{
        scoreboard_free(f->context.board);
        fd_close(f->context.inherit.limit);
}

/* How long the manager's timer has yet to run; 0 where it does not. */
static usec_t left(const Fixture *f)
{
        struct itimerspec spec;

        assert_int_equal(timerfd_gettime(f->context.inherit.limit, &spec), 0);
        return (usec_t) spec.it_value.tv_sec * USEC_PER_SEC + (usec_t) spec.it_value.tv_nsec / 1000;
}

/* It runs until the first of the two limits, and stays as it is when another request begins meanwhile. */
static void test_timer(void **state _unused_)
{
        static const struct {
                usec_t terminate, slowlog, first;
        } cases[] = {
                { 0, 0, 0 },
                { 2 * HOUR, 0, 2 * HOUR },
                { 0, 2 * HOUR, 2 * HOUR },
                { 4 * HOUR, 2 * HOUR, 2 * HOUR },
                { 2 * HOUR, 4 * HOUR, 2 * HOUR },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                usec_t first = cases[i].first;
                Fixture f;

                fixture_open(&f, cases[i].terminate, cases[i].slowlog);
                overtime_begin(&f.context);
                if (left(&f) > first || (first > 0 && left(&f) < first - HOUR))
                        fail_msg("case %zu", i);

                f.config.request_terminate_timeout = f.config.request_slowlog_timeout = 40 * HOUR;
                overtime_begin(&f.context);
                if (first > 0)
                        assert_true(left(&f) <= first);
                fixture_close(&f);
        }
}

/* The timer that could not be started is left to the next one who begins. */
static void test_no_timer(void **state _unused_)
{
        Fixture f;
        int fd;

        fixture_open(&f, HOUR, 0);
        fd = f.context.inherit.limit;
        f.context.inherit.limit = -EBADF;
        overtime_begin(&f.context);
        f.context.inherit.limit = fd;
        assert_int_equal(left(&f), 0);
        overtime_begin(&f.context);
        assert_true(left(&f) > 0);
        fixture_close(&f);
}

/* A signal that comes when its request is over means nothing. */
static void test_interrupt(void **state _unused_)
{
        Fixture f;

        fixture_open(&f, HOUR, 0);
        n_interrupts = 0;
        assert_int_equal(overtime_catch(&f.context, SLOT, on_interrupt), 0);
        assert_int_equal(raise(IPC_INTERRUPT_SIGNAL), 0);
        assert_int_equal(n_interrupts, 0);

        (void) scoreboard_set_stage(f.context.board, SLOT, STAGE_RUNNING);
        scoreboard_condemn(f.context.board, SLOT, 1);
        assert_int_equal(raise(IPC_INTERRUPT_SIGNAL), 0);
        assert_int_equal(n_interrupts, 1);
        (void) signal(IPC_INTERRUPT_SIGNAL, SIG_DFL);
        fixture_close(&f);
}

static void test_end(void **state _unused_)
{
        Fixture f;
        pid_t pid;

        fixture_open(&f, HOUR, 0);
        assert_int_equal(overtime_catch(&f.context, SLOT, on_interrupt), 0);
        (void) scoreboard_set_stage(f.context.board, SLOT, STAGE_RUNNING);
        overtime_end(); /* it is not condemned */

        scoreboard_condemn(f.context.board, SLOT, 1);
        pid = fork_child();
        if (pid == 0) {
                overtime_end();
                _exit(0);
        }
        expect_exit(pid, EXIT_STATUS_TERMINATED);
        (void) signal(IPC_INTERRUPT_SIGNAL, SIG_DFL);
        fixture_close(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_timer),
                cmocka_unit_test(test_no_timer),
                cmocka_unit_test(test_interrupt),
                cmocka_unit_test(test_end),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
