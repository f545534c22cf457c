/* SPDX-License-Identifier: MIT */

/* The slots of workers on a real scoreboard: which states follow each other, and what each order does. */

#include "helpers/unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/child.h"
#include "helpers/fds.h"
#include "helpers/workers.h"
#include "ipc/messages.h"
#include "manager/pool/workers.h"

#define SLOTS 6

static int open_workers(void **state)
{
        Workers *ws = calloc(1, sizeof *ws);

        assert_non_null(ws);
        assert_int_equal(workers_new(SLOTS, ws), 0);
        *state = ws;
        return 0;
}

/* Workers that a test has made up are no processes. */
static int close_workers(void **state)
{
        Workers *ws = *state;

        forget_workers(ws);
        workers_clear(ws);
        free(ws);
        return 0;
}

/* The next slots have a worker with this pid and those behind it; the first slot. */
static size_t fork_workers(Workers *ws, size_t n, pid_t pid)
{
        uint32_t slots[SLOTS];
        int fds[SLOTS];

        assert_int_equal(workers_order(ws, n, slots, fds), n);
        for (size_t i = 0; i < n; i++)
                workers_forked(ws, slots[i], pid + (pid_t) i, false);
        return slots[0];
}

/* The worker ended a request that began then and took so long, and waits. */
static void be_idle(Workers *ws, size_t slot, usec_t started, usec_t duration)
{
        WorkerRecord *record = scoreboard_begin(ws->board, slot);

        record->requests = started > 0;
        record->request_started = started;
        record->request_duration = duration;
        scoreboard_end(ws->board, slot);
        (void) scoreboard_set_stage(ws->board, slot, STAGE_IDLE);
}

static void test_states(void **state _unused_)
{
        static const struct {
                WorkerState before, after;
        } legal[] = {
                { WORKER_NONE, WORKER_ORDERED },     { WORKER_ORDERED, WORKER_LIVE },
                { WORKER_ORDERED, WORKER_RETIRING }, { WORKER_ORDERED, WORKER_LOST },
                { WORKER_ORDERED, WORKER_NONE },     { WORKER_LIVE, WORKER_RETIRING },
                { WORKER_LIVE, WORKER_NONE },        { WORKER_RETIRING, WORKER_NONE },
        };

        for (WorkerState before = 0; before < _WORKER_STATE_MAX; before++)
                for (WorkerState after = 0; after < _WORKER_STATE_MAX; after++) {
                        bool expected = false;

                        for (size_t i = 0; i < ELEMENTSOF(legal); i++)
                                expected |= legal[i].before == before && legal[i].after == after;
                        assert_int_equal(worker_may_follow(before, after), expected);
                }
}

/* A contract that is broken ends the manager: here a slot that nobody has is freed. */
static void test_illegal_state_is_asserted(void **state)
{
        Workers *ws = *state;
        int status;
        pid_t pid = fork_child();

        if (pid == 0) {
                (void) prctl(PR_SET_DUMPABLE, 0); /* no core */
                (void) close(STDERR_FILENO);
                (void) signal(SIGABRT, SIG_DFL);
                workers_bury(ws, 0);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void test_order(void **state)
{
        Workers *ws = *state;
        usec_t realtime = now_realtime(), monotonic = now_monotonic();
        uint32_t slots[SLOTS + 1];
        int fds[SLOTS + 1];

        assert_int_equal(workers_order(ws, 2, slots, fds), 2);
        for (uint32_t i = 0; i < 2; i++) {
                const Worker *w = &ws->slots[i];

                assert_int_equal(slots[i], i);
                assert_int_equal(fds[i], w->retire_fd);
                assert_true(w->retire_fd >= 0);
                assert_true(workers_in_state(ws, i, WORKER_ORDERED));
                assert_true(w->started >= realtime && w->ordered >= monotonic);
                assert_false(worker_lives(w));
                assert_int_equal(scoreboard_stage(ws->board, i), STAGE_STARTING);
        }
        assert_true(workers_in_state(ws, 2, WORKER_NONE));
        assert_int_equal(scoreboard_stage(ws->board, 2), STAGE_FREE);

        assert_int_equal(workers_order(ws, SLOTS + 1, slots, fds), SLOTS - 2);
        assert_int_equal(slots[0], 2);
        assert_int_equal(workers_order(ws, 1, slots, fds), 0);
}

/* Without descriptors there are fewer, or none, and what is not ordered is free. */
static void test_no_descriptors(void **state)
{
        Workers *ws = *state;
        struct rlimit before, limit;
        uint32_t slots[SLOTS];
        int fds[SLOTS], next = dup(0);

        assert_true(next >= 0);
        close(next);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
        limit = (struct rlimit){ .rlim_cur = (rlim_t) next + 1, .rlim_max = before.rlim_max };
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(workers_order(ws, 3, slots, fds), 1);
        assert_int_equal(workers_order(ws, 1, slots, fds), -EMFILE);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        assert_true(workers_in_state(ws, 1, WORKER_NONE));
        assert_int_equal(scoreboard_stage(ws->board, 1), STAGE_FREE);
}

static void test_made_and_cleared(void **state _unused_)
{
        size_t before = count_fds();
        Workers ws;

        assert_int_equal(workers_new(SCOREBOARD_SLOTS_MAX + 1, &ws), -ERANGE);
        assert_int_equal(workers_new(2, &ws), 0);
        assert_int_equal(ws.n, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_true(workers_in_state(&ws, i, WORKER_NONE));
                assert_int_equal(ws.slots[i].retire_fd, -EBADF);
        }
        (void) order_worker(&ws);
        workers_clear(&ws);
        assert_int_equal(count_fds(), before);
}

static void test_forked(void **state)
{
        Workers *ws = *state;
        usec_t now = now_monotonic();
        uint32_t slots[2];
        int fds[2];

        assert_int_equal(workers_order(ws, 2, slots, fds), 2);
        workers_forked(ws, 0, WORKER_PID, false);
        workers_forked(ws, 1, WORKER_PID + 1, true);
        assert_true(workers_in_state(ws, 0, WORKER_LIVE));
        assert_true(workers_in_state(ws, 1, WORKER_RETIRING));
        for (size_t i = 0; i < 2; i++) {
                assert_true(worker_lives(&ws->slots[i]));
                assert_int_equal(ws->slots[i].pid, WORKER_PID + (pid_t) i);
                assert_true(ws->slots[i].forked >= now);
        }
        assert_false(workers_in_state(ws, SLOTS, WORKER_NONE));
        assert_int_equal(workers_find(ws, WORKER_PID + 1), 1);
        assert_int_equal(workers_find(ws, WORKER_PID + 2), -1);
}

static void test_bury(void **state)
{
        Workers *ws = *state;
        Scoreboard *board = ws->board;
        int fd;

        assert_int_equal(fork_workers(ws, 2, WORKER_PID), 0);
        be_idle(ws, 0, 1, 1);
        fd = ws->slots[0].retire_fd;
        ws->slots[0].killed = KILL_HANDOVER;
        workers_bury(ws, 0);
        assert_true(workers_in_state(ws, 0, WORKER_NONE));
        assert_int_equal(ws->slots[0].pid, 0);
        assert_int_equal(ws->slots[0].killed, KILL_NONE);
        assert_int_equal(ws->slots[0].retire_fd, -EBADF);
        assert_int_equal(write(fd, "12345678", 8), -1);
        assert_int_equal(scoreboard_stage(board, 0), STAGE_FREE);
        assert_int_equal(workers_find(ws, WORKER_PID), -1);

        assert_int_equal(fork_workers(ws, 1, WORKER_PID + 5), 0); /* and is the next one's */
        assert_int_equal(workers_find(ws, WORKER_PID + 1), 1);
}

/* Perhaps it lives: it is told to end, and nobody else gets its slot. */
static void test_lost(void **state)
{
        Workers *ws = *state;
        uint32_t slots[SLOTS];
        int fds[SLOTS];

        assert_int_equal(workers_order(ws, 1, slots, fds), 1);
        workers_lose(ws, 0);
        assert_int_equal(order_of(ws, 0), IPC_RETIRE);
        assert_true(workers_in_state(ws, 0, WORKER_LOST));
        workers_retire(ws, IPC_RETIRE_STOP);
        workers_retire_stop(ws);
        assert_int_equal(order_of(ws, 0), 0);
        assert_int_equal(workers_order(ws, SLOTS, slots, fds), SLOTS - 1);
        assert_int_equal(slots[0], 1);
}

static void test_idle_since(void **state)
{
        Workers *ws = *state;

        assert_int_equal(fork_workers(ws, 3, WORKER_PID), 0);
        ws->slots[0].forked = 7;
        assert_int_equal(workers_idle_since(ws, 0), USEC_INFINITY); /* starts */
        be_idle(ws, 0, 0, 0);
        assert_int_equal(workers_idle_since(ws, 0), 7);
        be_idle(ws, 1, 100, 20);
        assert_int_equal(workers_idle_since(ws, 1), 120);
        (void) scoreboard_set_stage(ws->board, 1, STAGE_RUNNING);
        assert_int_equal(workers_idle_since(ws, 1), USEC_INFINITY);
        be_idle(ws, 2, 100, 20);
        workers_retire(ws, IPC_RETIRE);
        assert_int_equal(workers_idle_since(ws, 2), USEC_INFINITY);
        assert_int_equal(workers_idle_since(ws, 3), USEC_INFINITY); /* nobody */
}

static void test_longest_idle_retires_first(void **state)
{
        static const usec_t started[] = { 300, 100, 200, 100 }, duration[] = { 10, 250, 10, 400 };
        Workers *ws = *state;

        /* Idle since 310, 350, 210, 500; one has a request; one is ordered. */
        assert_int_equal(fork_workers(ws, 5, WORKER_PID), 0);
        for (size_t i = 0; i < 4; i++)
                be_idle(ws, i, started[i], duration[i]);
        (void) scoreboard_set_stage(ws->board, 4, STAGE_RUNNING);

        workers_retire_idle(ws, 0);
        for (size_t i = 0; i < 5; i++)
                assert_true(workers_in_state(ws, i, WORKER_LIVE));
        workers_retire_idle(ws, 1);
        assert_true(workers_in_state(ws, 2, WORKER_RETIRING));
        assert_int_equal(order_of(ws, 2), IPC_RETIRE);
        workers_retire_idle(ws, 2);
        assert_true(workers_in_state(ws, 0, WORKER_RETIRING));
        assert_true(workers_in_state(ws, 1, WORKER_RETIRING));
        assert_true(workers_in_state(ws, 3, WORKER_LIVE));
        workers_retire_idle(ws, 9);
        assert_true(workers_in_state(ws, 3, WORKER_RETIRING));
        assert_true(workers_in_state(ws, 4, WORKER_LIVE));
        assert_int_equal(order_of(ws, 4), 0);
}

static void test_retire_all(void **state)
{
        Workers *ws = *state;
        uint32_t slots[SLOTS];
        int fds[SLOTS];

        assert_int_equal(fork_workers(ws, 2, WORKER_PID), 0);
        be_idle(ws, 0, 1, 1);
        workers_retire_idle(ws, 1);
        assert_int_equal(order_of(ws, 0), IPC_RETIRE);
        assert_int_equal(workers_order(ws, 1, slots, fds), 1);

        workers_retire(ws, IPC_RETIRE);
        assert_int_equal(order_of(ws, 0), 0); /* was told */
        assert_int_equal(order_of(ws, 1), IPC_RETIRE);
        assert_int_equal(order_of(ws, 2), IPC_RETIRE); /* will find it */
        assert_true(workers_in_state(ws, 1, WORKER_RETIRING));
        assert_true(workers_in_state(ws, 2, WORKER_ORDERED));

        workers_retire_stop(ws);
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(order_of(ws, i), IPC_RETIRE_STOP);
}

/* A living one is not told that the pool stops before it is told to end. */
static void test_retire_stop_is_for_those_that_end(void **state)
{
        Workers *ws = *state;

        assert_int_equal(fork_workers(ws, 1, WORKER_PID), 0);
        workers_retire_stop(ws);
        assert_int_equal(order_of(ws, 0), 0);
}

static void test_kill(void **state)
{
        Workers *ws = *state;
        pid_t pid = fork_child();
        int status;

        if (pid == 0)
                for (;;)
                        (void) pause();
        assert_int_equal(fork_workers(ws, 1, pid), 0);
        assert_true(worker_kill(&ws->slots[0], KILL_NOT_READY));
        assert_false(worker_kill(&ws->slots[0], KILL_HANDOVER));
        assert_int_equal(ws->slots[0].killed, KILL_NOT_READY);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_look(void **state)
{
        Workers *ws = *state;
        usec_t now = now_monotonic(), ready;
        uint32_t slots[SLOTS];
        int fds[SLOTS];

        assert_int_equal(fork_workers(ws, 2, WORKER_PID), 0);
        assert_int_equal(workers_order(ws, 1, slots, fds), 1);
        (void) scoreboard_set_stage(ws->board, 2, STAGE_IDLE); /* ahead of the news that it was forked */
        assert_false(workers_look(ws));
        be_idle(ws, 1, 0, 0);
        assert_true(workers_look(ws));
        ready = ws->slots[1].ready;
        assert_true(ready >= now);
        assert_int_equal(ws->slots[0].ready, 0);
        assert_int_equal(ws->slots[2].ready, 0);
        assert_false(workers_look(ws)); /* no news */
        assert_int_equal(ws->slots[1].ready, ready);
}

static void test_accepts(void **state)
{
        static const bool accepts[_STAGE_MAX] = { [STAGE_STARTING] = true, [STAGE_IDLE] = true };
        Workers *ws = *state;
        uint32_t slots[SLOTS];
        int fds[SLOTS];

        assert_int_equal(fork_workers(ws, 1, WORKER_PID), 0);
        for (Stage stage = 0; stage < _STAGE_MAX; stage++) {
                (void) scoreboard_set_stage(ws->board, 0, stage);
                assert_int_equal(workers_accepts(ws, 0), accepts[stage]);
        }
        assert_int_equal(workers_order(ws, 1, slots, fds), 1);
        assert_false(workers_accepts(ws, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_workers, close_workers)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                TEST(test_illegal_state_is_asserted),
                TEST(test_order),
                TEST(test_no_descriptors),
                cmocka_unit_test(test_made_and_cleared),
                TEST(test_forked),
                TEST(test_bury),
                TEST(test_lost),
                TEST(test_idle_since),
                TEST(test_longest_idle_retires_first),
                TEST(test_retire_all),
                TEST(test_retire_stop_is_for_those_that_end),
                TEST(test_kill),
                TEST(test_look),
                TEST(test_accepts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
