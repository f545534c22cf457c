/* SPDX-License-Identifier: MIT */

/* What a generation's workers do, added up: by hand, over a real scoreboard. */

#include "helpers/unit.h"

#include "helpers/workers.h"
#include "manager/pool/generation-count.h"

#define S USEC_PER_SEC

typedef struct Fixture {
        Config *config;
        Generation g;
} Fixture;

static int fixture_open(void **state)
{
        Fixture *f = calloc(1, sizeof *f);

        assert_non_null(f);
        assert_int_equal(config_new(&f->config), 0);
        f->config->pm_mode = PM_DYNAMIC;
        f->config->pm_process_idle_timeout = 10 * S;
        f->g.config = f->config;
        assert_int_equal(workers_new(12, &f->g.workers), 0);
        *state = f;
        return 0;
}

static int fixture_close(void **state)
{
        Fixture *f = *state;

        forget_workers(&f->g.workers);
        workers_clear(&f->g.workers);
        config_free(f->config);
        free(f);
        return 0;
}

/* An idle one, which ended its last request so long ago. */
static void add_idle(Fixture *f, usec_t ago)
{
        size_t slot = add_worker(&f->g.workers, STAGE_IDLE);
        WorkerRecord *record = scoreboard_begin(f->g.workers.board, slot);

        record->requests = 1;
        record->request_started = now_monotonic() - ago;
        scoreboard_end(f->g.workers.board, slot);
}

static void assert_count(const Fixture *f, size_t idle, size_t busy, size_t starting, size_t retiring)
{
        GenerationCount count = generation_count(&f->g);

        assert_int_equal(count.idle, idle);
        assert_int_equal(count.busy, busy);
        assert_int_equal(count.starting, starting);
        assert_int_equal(count.retiring, retiring);
        assert_int_equal(count.expired, 0);
        assert_int_equal(count.expiry, 10 * S);
}

static void test_count(void **state)
{
        Fixture *f = *state;

        assert_count(f, 0, 0, 0, 0);
        assert_int_equal(generation_alive(&f->g), 0);
        assert_false(generation_expects(&f->g));

        for (Stage stage = STAGE_STARTING; stage < _STAGE_MAX; stage++)
                (void) add_worker(&f->g.workers, stage);
        assert_count(f, 1, 5, 1, 0);
        assert_int_equal(generation_alive(&f->g), 7);
        assert_false(generation_expects(&f->g));

        (void) order_worker(&f->g.workers);
        assert_count(f, 1, 5, 2, 0);
        assert_int_equal(generation_alive(&f->g), 7);
        assert_true(generation_expects(&f->g));

        workers_lose(&f->g.workers, 7);
        assert_count(f, 1, 5, 1, 0);
        assert_false(generation_expects(&f->g));

        workers_retire_idle(&f->g.workers, 1);
        assert_count(f, 0, 5, 1, 1);
        workers_retire(&f->g.workers, 1);
        assert_count(f, 0, 0, 0, 7);
        assert_int_equal(generation_alive(&f->g), 7);
}

static void test_expiry(void **state)
{
        Fixture *f = *state;
        GenerationCount count;

        add_idle(f, 3 * S);
        assert_int_equal(generation_count(&f->g).expiry, 10 * S); /* is nothing where there is no ondemand */

        f->config->pm_mode = PM_ONDEMAND;
        count = generation_count(&f->g);
        assert_int_equal(count.expired, 0);
        assert_between(count.expiry, 6 * S, 7 * S);

        add_idle(f, 5 * S);
        add_idle(f, S);
        assert_between(generation_count(&f->g).expiry, 4 * S, 5 * S);

        add_idle(f, 10 * S);
        add_idle(f, 60 * S);
        count = generation_count(&f->g);
        assert_int_equal(count.idle, 5);
        assert_int_equal(count.expired, 2);
        assert_between(count.expiry, 4 * S, 5 * S);
}

static void test_accepts(void **state)
{
        Fixture *f = *state;
        size_t slot;

        assert_false(generation_accepts(&f->g));
        (void) order_worker(&f->g.workers);
        (void) add_worker(&f->g.workers, STAGE_RUNNING);
        assert_false(generation_accepts(&f->g));
        slot = add_worker(&f->g.workers, STAGE_IDLE);
        assert_true(generation_accepts(&f->g));
        workers_retire(&f->g.workers, 1); /* until it has ended */
        assert_true(generation_accepts(&f->g));
        (void) scoreboard_set_stage(f->g.workers.board, slot, STAGE_ENDING);
        assert_false(generation_accepts(&f->g));
}

static void test_last_active(void **state)
{
        Fixture *f = *state;
        usec_t now = now_monotonic();

        assert_int_equal(generation_last_active(&f->g), 0);
        (void) add_worker(&f->g.workers, STAGE_RUNNING);
        assert_int_equal(generation_last_active(&f->g), 0);
        add_idle(f, 50 * S);
        assert_between(generation_last_active(&f->g), now - 50 * S, now_monotonic() - 50 * S);
        add_idle(f, 20 * S);
        add_idle(f, 30 * S);
        assert_between(generation_last_active(&f->g), now - 20 * S, now_monotonic() - 20 * S);
}

static void set_request(Fixture *f, size_t slot, usec_t started, usec_t ended)
{
        WorkerRecord *record = scoreboard_begin(f->g.workers.board, slot);

        record->request_started = started;
        record->request_ended = ended;
        scoreboard_end(f->g.workers.board, slot);
}

static void test_last_request(void **state)
{
        Fixture *f = *state;
        usec_t now = now_monotonic();
        size_t first, second;

        assert_int_equal(generation_last_request(&f->g), 0);
        first = add_worker(&f->g.workers, STAGE_RUNNING);
        second = add_worker(&f->g.workers, STAGE_RUNNING);
        set_request(f, first, now - 5 * S, now - 9 * S);
        set_request(f, second, now - 8 * S, now - 7 * S);
        assert_int_equal(generation_last_request(&f->g), now - 5 * S);
        set_request(f, second, now - 8 * S, now - 4 * S);
        assert_int_equal(generation_last_request(&f->g), now - 4 * S);

        set_request(f, first, now + 99 * S, now + 99 * S); /* a worker may lie */
        assert_int_equal(generation_last_request(&f->g), now - 4 * S);
        f->g.workers.slots[second].pid = 0;
        assert_int_equal(generation_last_request(&f->g), 0);
}

static void test_progress(void **state)
{
        Fixture *f = *state;
        size_t first = add_worker(&f->g.workers, STAGE_RUNNING);
        size_t second = add_worker(&f->g.workers, STAGE_SENDING);

        assert_int_equal(generation_progress(&f->g), 0);
        scoreboard_note_progress(f->g.workers.board, first);
        scoreboard_note_progress(f->g.workers.board, second);
        scoreboard_note_progress(f->g.workers.board, second);
        assert_int_equal(generation_progress(&f->g), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_count),       TEST(test_expiry),       TEST(test_accepts),
                TEST(test_last_active), TEST(test_last_request), TEST(test_progress),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
