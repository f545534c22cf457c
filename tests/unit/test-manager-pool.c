/* SPDX-License-Identifier: MIT */

/* The book: which states may follow, tickets for reloads, the list of generations, what a wish leaves
 * behind. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "manager/pool/pool.h"

static const struct {
        PoolState state;
        bool followers[_POOL_STATE_MAX];
} states[] = {
        { POOL_STARTING, { [POOL_RUNNING] = true, [POOL_DRAINING] = true } },
        { POOL_RUNNING, { [POOL_RELOADING] = true, [POOL_DRAINING] = true } },
        { POOL_RELOADING, { [POOL_RUNNING] = true, [POOL_DRAINING] = true } },
        { POOL_DRAINING, { [POOL_STOPPING] = true } },
        { POOL_STOPPING, {} },
};

/* Whether the transition is let through: tried in a child, which an assertion kills. */
static bool may_follow(PoolState from, PoolState to)
{
        int status;
        pid_t pid;

        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                Pool p = { .name = "www", .life.state = from };

                (void) signal(SIGABRT, SIG_DFL); /* cmocka's, which would go on with the next test */
                (void) close(STDERR_FILENO);
                pool_set_state(&p, to);
                _exit(p.life.state == to ? EXIT_SUCCESS : EXIT_FAILURE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status))
                assert_int_equal(WEXITSTATUS(status), EXIT_SUCCESS);
        else
                assert_int_equal(WTERMSIG(status), SIGABRT);
        return WIFEXITED(status);
}

static void test_states(void **state)
{
        (void) state;
        assert_int_equal(ELEMENTSOF(states), _POOL_STATE_MAX);
        for (size_t i = 0; i < ELEMENTSOF(states); i++)
                for (PoolState to = 0; to < _POOL_STATE_MAX; to++)
                        if (may_follow(states[i].state, to) != states[i].followers[to])
                                fail_msg("%s to %s", pool_state_to_string(states[i].state),
                                         pool_state_to_string(to));
}

static void test_tickets(void **state)
{
        Pool p = {};

        (void) state;
        assert_int_equal(pool_ask_reload(&p), 1);
        assert_int_equal(pool_ask_reload(&p), 2);
        p.reloads.taken = p.reloads.asked;

        /* It comes while that reload runs: the end of that one is not its own. */
        assert_int_equal(pool_ask_reload(&p), 3);
        pool_reload_ended(&p, "a typo");
        assert_int_equal(p.reloads.served, 2);
        assert_true(p.reloads.failed);
        assert_string_equal(p.reloads.failure, "a typo");

        p.reloads.taken = p.reloads.asked;
        pool_reload_ended(&p, NULL);
        assert_int_equal(p.reloads.served, 3);
        assert_false(p.reloads.failed);
        assert_null(p.reloads.failure);
}

static void test_stop(void **state)
{
        Pool p = { .life.state = POOL_RUNNING };

        (void) state;
        assert_false(pool_ends(&p));
        pool_ask_stop(&p, STOP_IDLE);
        pool_ask_stop(&p, STOP_ASKED);
        assert_int_equal(p.life.stop, STOP_IDLE);
        assert_true(pool_ends(&p));
        p.life.stop = STOP_NONE;
        p.life.state = POOL_DRAINING;
        assert_true(pool_ends(&p));
}

static void test_generations(void **state)
{
        Generation current = {}, next = {}, second = {}, first = { .older = &second };
        /* Each subset of the three: the bits say which are there. */
        Generation *const all[] = { &current, &next, &first, &second };

        (void) state;
        for (unsigned there = 0; there < 8; there++) {
                Pool p = {
                        .current = there & 1 ? &current : NULL,
                        .next = there & 2 ? &next : NULL,
                        .retired = there & 4 ? &first : NULL,
                };
                size_t i = 0;

                FOREACH_GENERATION(g, &p) {
                        while (i < ELEMENTSOF(all) && !(there & (1U << MIN(i, 2U))))
                                i++;
                        assert_true(i < ELEMENTSOF(all));
                        assert_ptr_equal(g, all[i]);
                        i++;
                }
                while (i < ELEMENTSOF(all) && !(there & (1U << MIN(i, 2U))))
                        i++;
                assert_int_equal(i, ELEMENTSOF(all));
        }
}

static void test_watched(void **state)
{
        usec_t before = now_monotonic();
        Pool p = {};

        (void) state;
        pool_note_watched(&p);
        assert_true(p.watched_until > before);
        assert_false(p.watched); /* which is the step's to say */
}

static void test_hold_spawn(void **state)
{
        usec_t before = now_monotonic(), first;
        Pool p = { .sizing.last_batch = 8 };

        (void) state;
        pool_hold_spawn(&p, 1);
        first = p.sizing.hold_spawn;
        assert_true(first >= before + 100 * USEC_PER_MSEC);
        assert_int_equal(p.sizing.last_batch, 0);
        pool_hold_spawn(&p, 4);
        assert_true(p.sizing.hold_spawn > first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),      cmocka_unit_test(test_tickets),
                cmocka_unit_test(test_stop),        cmocka_unit_test(test_generations),
                cmocka_unit_test(test_watched),     cmocka_unit_test(test_hold_spawn),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
