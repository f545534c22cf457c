/* SPDX-License-Identifier: MIT */

/* What a full pool says, and what wakes the manager for it: a story, step by step. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helpers/fields.h"
#include "manager/decide/saturation.h"

#define STEP_FIELDS(field) field(tell) field(watch) field(least) field(again)
DEFINE_ASSERT_FIELDS(SaturationStep, STEP_FIELDS)

#define T0 (1000 * USEC_PER_SEC)
#define QUIET (T0 + SATURATION_CONFIRM + SATURATION_TELL_INTERVAL)

typedef struct Case {
        const char *name;
        SaturationView view; /* reached, idle, waiting, woken, now */
        SaturationStep step;
        uint64_t n;
} Case;

static void check(Saturation *s, const Case *cases, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const Case *c = &cases[i];
                SaturationStep step = saturation_note(s, &c->view);

                assert_SaturationStep(c->name, &step, &c->step);
                if (s->n != c->n)
                        fail_msg("%s: count %llu", c->name, (unsigned long long) s->n);
        }
}

static void test_a_connection_waits(void **state _unused_)
{
        static const Case cases[] = {
                { "room", { false, 2, false, false, T0 }, {}, 0 },
                { "full, and nobody waits", { true, 0, false, false, T0 }, { .watch = true }, 1 },
                { "something else happens", { true, 0, false, false, T0 }, { .watch = true }, 1 },
                { "one waits", { true, 0, true, true, T0 }, { .again = T0 + SATURATION_CONFIRM }, 1 },
                { "still waits, too early",
                  { true, 0, true, false, T0 + 1 },
                  { .again = T0 + SATURATION_CONFIRM },
                  1 },
                { "still waits",
                  { true, 0, true, false, T0 + SATURATION_CONFIRM },
                  { .tell = true, .again = QUIET },
                  1 },
                { "that was said", { true, 0, true, true, QUIET - 1 }, { .again = QUIET }, 1 },
                { "room again", { false, 1, false, false, QUIET - 1 }, {}, 1 },
                { "full again, within a minute",
                  { true, 0, true, false, QUIET - 1 },
                  { .again = QUIET },
                  2 },
                { "a minute later, one waits",
                  { true, 0, true, false, QUIET },
                  { .again = QUIET + SATURATION_CONFIRM },
                  2 },
                { "and is taken in time",
                  { true, 0, false, false, QUIET + SATURATION_CONFIRM },
                  { .again = QUIET + SATURATION_CONFIRM + SATURATION_PAUSE },
                  2 },
        };
        Saturation s = {};

        check(&s, cases, ELEMENTSOF(cases));
}

/* One that is told of again has to be confirmed again. */
static void test_full_all_along(void **state _unused_)
{
        static const Case cases[] = {
                { "one waits", { true, 0, true, false, T0 }, { .again = T0 + SATURATION_CONFIRM }, 1 },
                { "still waits",
                  { true, 0, true, false, T0 + SATURATION_CONFIRM },
                  { .tell = true, .again = QUIET },
                  1 },
                { "a minute later",
                  { true, 0, true, false, QUIET },
                  { .again = QUIET + SATURATION_CONFIRM },
                  1 },
                { "not yet confirmed",
                  { true, 0, true, false, QUIET + SATURATION_CONFIRM - 1 },
                  { .again = QUIET + SATURATION_CONFIRM },
                  1 },
                { "still waits, too",
                  { true, 0, true, false, QUIET + SATURATION_CONFIRM },
                  { .tell = true, .again = QUIET + SATURATION_CONFIRM + SATURATION_TELL_INTERVAL },
                  1 },
        };
        Saturation s = {};

        check(&s, cases, ELEMENTSOF(cases));
}

static void test_nobody_waits_for_long(void **state _unused_)
{
        static const Case cases[] = {
                { "full", { true, 0, false, false, T0 }, { .watch = true }, 1 },
                { "a worker was faster",
                  { true, 0, false, true, T0 },
                  { .again = T0 + SATURATION_PAUSE },
                  1 },
                { "leave it alone",
                  { true, 0, false, true, T0 + 1 },
                  { .again = T0 + SATURATION_PAUSE },
                  1 },
                { "watch again", { true, 0, false, false, T0 + SATURATION_PAUSE }, { .watch = true }, 1 },
                { "room", { false, 1, false, false, T0 + SATURATION_PAUSE }, {}, 1 },
        };
        Saturation s = {};

        check(&s, cases, ELEMENTSOF(cases));
}

/* A dynamic pool wants more workers than it may have while some are still idle. */
static void test_some_are_idle(void **state _unused_)
{
        static const Case cases[] = {
                { "reached", { true, 1, false, false, T0 }, { .least = 1 }, 1 },
                { "still idle", { true, 1, false, false, T0 }, { .again = T0 + SATURATION_PAUSE }, 1 },
                { "once more", { true, 1, false, false, T0 + SATURATION_PAUSE }, { .least = 1 }, 1 },
                { "none is", { true, 0, false, false, T0 + SATURATION_PAUSE }, { .watch = true }, 1 },
                { "a connection that an idle one takes",
                  { true, 1, true, true, T0 + SATURATION_PAUSE },
                  { .again = T0 + 2 * SATURATION_PAUSE },
                  1 },
        };
        Saturation s = {};

        check(&s, cases, ELEMENTSOF(cases));
}

static void test_another_generation(void **state _unused_)
{
        Saturation s = { .reached = true, .n = 3, .told = T0, .watching = true };

        saturation_reset(&s);
        assert_int_equal(s.n, 3);
        assert_int_equal(s.told, T0);
        assert_false(s.reached);
        (void) saturation_note(&s, &(SaturationView){ .reached = true, .now = T0 });
        assert_int_equal(s.n, 4);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_connection_waits),
                cmocka_unit_test(test_full_all_along),
                cmocka_unit_test(test_nobody_waits_for_long),
                cmocka_unit_test(test_some_are_idle),
                cmocka_unit_test(test_another_generation),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
