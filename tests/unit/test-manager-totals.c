/* SPDX-License-Identifier: MIT */

/* The pool's sums: of workers that are gone, and of those that live, over real scoreboards. */

#include "helpers/unit.h"

#include "helpers/workers.h"
#include "manager/pool/totals.h"

#define SLOTS 4

/* Every counter has another value, from base on. */
static void set_counters(WorkerRecord *record, uint64_t base)
{
        uint64_t n = 0;

#define COUNTER(field, counted, sum, status) record->field = base + n++;
#include "scoreboard/counters.def"
}

static uint64_t expected_SUM(uint64_t a, uint64_t b)
{
        return a + b;
}

static uint64_t expected_HIGHEST(uint64_t a, uint64_t b)
{
        return a > b ? a : b;
}

/* The counters are those of two records that set_counters() has made. */
static void assert_counters(const Counters *c, uint64_t first, uint64_t second)
{
        uint64_t n = 0;

#define COUNTER(field, counted, sum, status)                                                                \
        assert_int_equal(c->field, expected_##sum(first ? first + n : 0, second ? second + n : 0));         \
        n++;
#include "scoreboard/counters.def"
        assert_int_not_equal(n, 0);
}

static void test_counters(void **state _unused_)
{
        WorkerRecord record = {};
        Counters c = {};

        set_counters(&record, 100);
        counters_add(&c, &record);
        assert_counters(&c, 100, 0);
        set_counters(&record, 40);
        counters_add(&c, &record);
        assert_counters(&c, 100, 40);
        counters_add(&c, &(WorkerRecord){});
        assert_counters(&c, 100, 40);

        c = (Counters){};
        counters_add(&c, &record);
        set_counters(&record, 100);
        counters_add(&c, &record);
        assert_counters(&c, 40, 100);
}

static const Worker ready = { .state = WORKER_LIVE, .ready = 1 }, never_ready = { .state = WORKER_LIVE };

static void test_worker_ended(void **state _unused_)
{
        WorkerRecord record = {};
        Totals t = {};

        set_counters(&record, 7);
        totals_worker_ended(&t, &ready, &record, RECYCLED_MAX_REQUESTS, 50);
        assert_counters(&t.past, 7, 0);
        assert_int_equal(t.last_ended, 50);

        set_counters(&record, 9);
        totals_worker_ended(&t, &never_ready, &record, RECYCLED_CRASHED, 60);
        assert_counters(&t.past, 7, 9);
        assert_int_equal(t.last_ended, 50); /* it never served */
        assert_int_equal(t.slow_requests, 0);
        assert_int_equal(t.max_active, 0);

        for (Recycled why = 0; why < _RECYCLED_MAX; why++)
                assert_int_equal(t.recycled[why], why == RECYCLED_MAX_REQUESTS || why == RECYCLED_CRASHED);
        totals_worker_ended(&t, &ready, &record, RECYCLED_CRASHED, 70);
        assert_int_equal(t.recycled[RECYCLED_CRASHED], 2);
        assert_int_equal(t.last_ended, 70);
}

static void test_most_active(void **state _unused_)
{
        Totals t = {};

        totals_note_active(&t, 3);
        assert_int_equal(t.max_active, 3);
        totals_note_active(&t, 2);
        assert_int_equal(t.max_active, 3);
        totals_note_active(&t, 5);
        assert_int_equal(t.max_active, 5);
}

/* ---- With those that live ---- */

static void open_generation(Generation *g)
{
        *g = (Generation){};
        assert_int_equal(config_new(&g->config), 0);
        assert_int_equal(workers_new(SLOTS, &g->workers), 0);
}

static void close_generation(Generation *g)
{
        forget_workers(&g->workers);
        workers_clear(&g->workers);
        config_free(g->config);
}

/* Writes the counters of the worker in this slot, and returns it. */
static uint32_t counted(Generation *g, uint32_t slot, uint64_t base)
{
        set_counters(scoreboard_begin(g->workers.board, slot), base);
        scoreboard_end(g->workers.board, slot);
        return slot;
}

static uint32_t add_counted(Generation *g, Stage stage, uint64_t base)
{
        return counted(g, add_worker(&g->workers, stage), base);
}

static void assert_figures(const Figures *f, uint64_t idle, uint64_t active, uint64_t alive)
{
        assert_int_equal(f->idle, idle);
        assert_int_equal(f->active, active);
        assert_int_equal(f->alive, alive);
}

static void test_figures(void **state _unused_)
{
        Generation g, other;
        Totals t = {};
        Figures f = figures_begin(&t);

        open_generation(&g);
        open_generation(&other);
        assert_counters(&f.counters, 0, 0);
        assert_figures(&f, 0, 0, 0);
        figures_add(&f, &g);
        assert_counters(&f.counters, 0, 0);
        assert_figures(&f, 0, 0, 0);

        (void) add_counted(&g, STAGE_IDLE, 1000);
        (void) add_counted(&other, STAGE_RUNNING, 300);
        /* One that is no process yet: what stands there is of nobody. */
        (void) counted(&other, order_worker(&other.workers), 9000);
        figures_add(&f, &g);
        assert_counters(&f.counters, 1000, 0);
        assert_figures(&f, 1, 0, 1);
        figures_add(&f, &other);
        assert_counters(&f.counters, 1000, 300);
        assert_figures(&f, 1, 1, 2);

        (void) add_counted(&g, STAGE_IDLE, 0);
        (void) add_counted(&g, STAGE_READING, 0);
        (void) add_counted(&g, STAGE_SENDING, 0);
        f = figures_begin(&t);
        figures_add(&f, &g);
        assert_figures(&f, 2, 2, 4);

        close_generation(&other);
        close_generation(&g);
}

/* Nothing is lost and nothing counted twice when a worker goes. */
static void test_from_living_to_gone(void **state _unused_)
{
        Generation g;
        Totals t = {};
        WorkerRecord record;
        Figures f;
        uint32_t slot;

        open_generation(&g);
        slot = add_counted(&g, STAGE_IDLE, 50);
        (void) add_counted(&g, STAGE_IDLE, 20);
        f = figures_begin(&t);
        figures_add(&f, &g);
        assert_counters(&f.counters, 50, 20);

        (void) scoreboard_read(g.workers.board, slot, &record);
        totals_worker_ended(&t, &ready, &record, RECYCLED_RETIRED, 1);
        workers_bury(&g.workers, slot);
        assert_counters(&t.past, 50, 0);
        f = figures_begin(&t);
        figures_add(&f, &g);
        assert_counters(&f.counters, 50, 20);
        assert_figures(&f, 1, 0, 1);
        close_generation(&g);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_counters),
                cmocka_unit_test(test_worker_ended),
                cmocka_unit_test(test_most_active),
                cmocka_unit_test(test_figures),
                cmocka_unit_test(test_from_living_to_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
