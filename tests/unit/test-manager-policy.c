/* SPDX-License-Identifier: MIT */

/* Sizing by a table of cases: what the pool is like, and what is to be done. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helpers/fields.h"
#include "manager/decide/policy.h"

#define STEP_FIELDS(field)                                                                                  \
        field(spawn) field(more) field(retire) field(least) field(surplus) field(again) field(watch)        \
                field(saturated)
DEFINE_ASSERT_FIELDS(PoolStep, STEP_FIELDS)

typedef struct Case {
        const char *name;
        PmMode mode;
        PoolView view;
        PoolStep step;
} Case;

#define EXPIRY (10 * USEC_PER_SEC)

static const Config config_base = {
        .pm_max_children = 8,
        .pm_start_servers = 3,
        .pm_min_spare_servers = 2,
        .pm_max_spare_servers = 4,
        .pm_max_spawn_rate = 4,
};

static const Case cases[] = {
        { "static: all at once, in batches",
          PM_STATIC,
          { .sized = true },
          { .spawn = 4, .more = true, .again = USEC_PER_SEC } },
        { "static: the one that died", PM_STATIC, { .idle = 7, .sized = true }, { .spawn = 1 } },
        { "static: deaths are no growing demand",
          PM_STATIC,
          { .idle = 6, .last = 4, .sized = true },
          { .spawn = 2 } },
        { "static: full", PM_STATIC, { .idle = 3, .busy = 5, .sized = true }, {} },
        { "static: beside an earlier generation",
          PM_STATIC,
          { .idle = 1, .old = 5, .sized = true },
          { .spawn = 2 } },
        { "static: one beyond the limit to take over", PM_STATIC, { .old = 8 }, { .spawn = 1 } },

        { "dynamic: start_servers", PM_DYNAMIC, { .idle = 1 }, { .spawn = 2, .least = 2 } },
        { "dynamic: start_servers, of which some are on their way",
          PM_DYNAMIC,
          { .idle = 1, .starting = 1, .last = 4 },
          { .spawn = 1, .least = 2 } },
        { "dynamic: enough", PM_DYNAMIC, { .idle = 2, .busy = 1, .sized = true }, { .least = 2 } },
        { "dynamic: below min_spare",
          PM_DYNAMIC,
          { .idle = 1, .busy = 2, .sized = true },
          { .spawn = 1, .least = 2 } },
        { "dynamic: on their way", PM_DYNAMIC, { .starting = 2, .busy = 2, .sized = true }, { .least = 2 } },
        { "dynamic: one of them on its way",
          PM_DYNAMIC,
          { .idle = 1, .starting = 1, .busy = 1, .sized = true },
          { .least = 2 } },
        { "dynamic: just enough, after much demand",
          PM_DYNAMIC,
          { .idle = 2, .busy = 1, .last = 4, .sized = true },
          { .least = 2 } },
        { "dynamic: demand grows, so does the batch",
          PM_DYNAMIC,
          { .busy = 3, .last = 2, .sized = true },
          { .spawn = 4, .least = 2, .surplus = 5 } },
        { "dynamic: full", PM_DYNAMIC, { .busy = 8, .sized = true }, { .saturated = true, .surplus = 5 } },
        { "dynamic: a surplus once some are idle",
          PM_DYNAMIC,
          { .idle = 4, .busy = 1, .sized = true, .tick = true },
          { .least = 2, .surplus = 5 } },
        { "dynamic: the last of a surplus",
          PM_DYNAMIC,
          { .idle = 5, .sized = true, .tick = true },
          { .retire = 1, .least = 2 } },
        { "dynamic: surplus, but no tick",
          PM_DYNAMIC,
          { .idle = 6, .sized = true },
          { .least = 2, .again = 5 * USEC_PER_SEC } },
        { "dynamic: surplus",
          PM_DYNAMIC,
          { .idle = 6, .sized = true, .tick = true },
          { .retire = 1, .least = 2, .again = USEC_PER_SEC } },
        { "dynamic: retiring ones still take room",
          PM_DYNAMIC,
          { .busy = 6, .old = 1, .sized = true },
          { .spawn = 1, .surplus = 5 } },

        { "ondemand: nothing to do", PM_ONDEMAND, { .sized = true }, { .least = 1, .watch = true } },
        { "ondemand: first connection",
          PM_ONDEMAND,
          { .demand = true, .sized = true, .expiry = EXPIRY },
          { .spawn = 1, .least = 1, .surplus = 1 } },
        { "ondemand: the only one is busy",
          PM_ONDEMAND,
          { .busy = 1, .sized = true, .expiry = EXPIRY },
          { .spawn = 1, .least = 1, .surplus = 1 } },
        { "ondemand: idle too long, but one while others are busy",
          PM_ONDEMAND,
          { .idle = 2, .expired = 2, .busy = 1, .sized = true, .tick = true, .expiry = EXPIRY },
          { .retire = 1, .least = 1, .again = EXPIRY } },
        { "ondemand: all busy",
          PM_ONDEMAND,
          { .busy = 2, .sized = true, .expiry = EXPIRY },
          { .spawn = 1, .least = 1, .surplus = 1 } },
        { "ondemand: idle, not too long",
          PM_ONDEMAND,
          { .idle = 2, .sized = true, .expiry = 2 * USEC_PER_SEC },
          { .least = 1, .again = 2 * USEC_PER_SEC } },
        { "ondemand: not for each one of them",
          PM_ONDEMAND,
          { .idle = 2, .sized = true, .expiry = 1 },
          { .least = 1, .again = USEC_PER_SEC } },
        { "ondemand: idle too long",
          PM_ONDEMAND,
          { .idle = 2, .expired = 2, .sized = true, .tick = true },
          { .retire = 2, .least = 1, .watch = true } },
        { "leaving: all idle ones",
          PM_STATIC,
          { .idle = 7, .old = 1, .sized = true, .leaving = true },
          { .retire = 7, .watch = true } },
        { "leaving: nobody is left",
          PM_DYNAMIC,
          { .sized = true, .leaving = true },
          { .least = 2, .watch = true } },
        { "ondemand: full",
          PM_ONDEMAND,
          { .busy = 8, .sized = true, .expiry = EXPIRY },
          { .saturated = true, .surplus = 1 } },
};

static void test_cases(void **state)
{
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Config config = config_base;
                PoolStep step;

                config.pm_mode = cases[i].mode;
                step = pool_decide(&config, &cases[i].view);
                assert_PoolStep(cases[i].name, &step, &cases[i].step);
        }
}

/* Without start_servers, as many as lie between the two bounds, as in PHP-FPM; with one, that one. */
static void test_start_servers(void **state)
{
        static const struct {
                unsigned start, min, max;
                size_t spawn;
        } sizes[] = {
                { 0, 2, 4, 3 }, { 0, 1, 2, 1 }, { 0, 3, 8, 5 },
                { 0, 1, 1, 1 }, { 1, 1, 4, 1 }, { 4, 2, 4, 4 },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(sizes); i++) {
                const Config config = {
                        .pm_mode = PM_DYNAMIC,
                        .pm_max_children = 16,
                        .pm_max_spawn_rate = 16,
                        .pm_start_servers = sizes[i].start,
                        .pm_min_spare_servers = sizes[i].min,
                        .pm_max_spare_servers = sizes[i].max,
                };
                PoolStep step = pool_decide(&config, &(PoolView){});

                assert_int_equal(step.spawn, sizes[i].spawn);
                assert_false(step.more);
        }
}

/* Whatever the view: never more than max_children but for the one that takes over, never more retired than
 * idle. */
static void test_bounds(void **state)
{
        (void) state;

        for (unsigned bits = 0; bits < 1U << 16; bits++) {
                PoolView view = {
                        .idle = bits & 3,
                        .busy = bits >> 2 & 7,
                        .starting = bits >> 5 & 3,
                        .old = bits >> 7 & 15,
                        .last = bits >> 11 & 3,
                        .sized = bits >> 13 & 1,
                        .demand = bits >> 14 & 1,
                        .tick = bits >> 15 & 1,
                };

                for (PmMode mode = 0; mode < _PM_MODE_MAX; mode++) {
                        Config config = config_base;
                        PoolStep step;
                        size_t own = view.idle + view.busy + view.starting;

                        config.pm_mode = mode;
                        view.expired = view.idle;
                        step = pool_decide(&config, &view);
                        assert_true(step.retire <= view.idle);
                        assert_true(step.spawn == 0 || own + view.old + step.spawn <= 8 ||
                                    (own == 0 && step.spawn == 1));
                        assert_true(step.spawn == 0 || step.retire == 0);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_start_servers),
                cmocka_unit_test(test_bounds),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
