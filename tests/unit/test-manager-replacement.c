/* SPDX-License-Identifier: MIT */

/* When PHP is started anew: what happens one after the other, and what is decided each time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/decide/replacement.h"

#define S USEC_PER_SEC
#define MS USEC_PER_MSEC
#define BEGIN (1000 * S)

/* What happens before the decision. */
typedef enum What {
        NOTHING,
        FAILED,
        OTHER_BUILD,
        OTHER_BUILD_AGAIN, /* and it is not to be said */
        REPLACED,          /* by a template with the same settings */
        RELOADED,
} What;

typedef struct Event {
        usec_t at;
        What what;
        ReplacementView view;
        ReplacementStep step;
        usec_t due; /* Replacement.at, counted from BEGIN; ignored for REPLACEMENT_NONE */
} Event;

#define WELL { .forks = true, .alive = true }
#define DEAD { .alive = true }
#define ALONE {}
#define SUSPECT { .forks = true, .alive = true, .suspect = true }

#define EVENTS_MAX 16
typedef struct Story {
        const char *name;
        Event events[EVENTS_MAX];
        size_t n;
} Story;

static const Story stories[] = {
        { "a pool that is well", { { 0, NOTHING, WELL, REPLACEMENT_NONE, 0 } }, 1 },
        { "the first death, at once", { { 100 * S, NOTHING, DEAD, REPLACEMENT_NOW, 100 * S } }, 1 },
        { "a suspect is replaced, too", { { 100 * S, NOTHING, SUSPECT, REPLACEMENT_NOW, 100 * S } }, 1 },
        { "templates that die young wait longer and longer",
          { { 100 * S, NOTHING, DEAD, REPLACEMENT_NOW, 100 * S },
            { 101 * S, REPLACED, DEAD, REPLACEMENT_WAIT, 101 * S + 100 * MS },
            { 101 * S + 100 * MS, NOTHING, DEAD, REPLACEMENT_NOW, 101 * S + 100 * MS },
            { 102 * S, REPLACED, DEAD, REPLACEMENT_WAIT, 102 * S + 200 * MS },
            { 102 * S + 199 * MS, NOTHING, DEAD, REPLACEMENT_WAIT, 102 * S + 200 * MS },
            { 103 * S, REPLACED, DEAD, REPLACEMENT_WAIT, 103 * S + 400 * MS } },
          6 },
        { "a reload forgets them",
          { { 100 * S, NOTHING, DEAD, REPLACEMENT_NOW, 100 * S },
            { 101 * S, REPLACED, DEAD, REPLACEMENT_WAIT, 101 * S + 100 * MS },
            { 102 * S, RELOADED, DEAD, REPLACEMENT_NOW, 102 * S } },
          3 },
        { "attempts that fail wait longer and longer",
          { { 100 * S, NOTHING, DEAD, REPLACEMENT_NOW, 100 * S },
            { 101 * S, FAILED, DEAD, REPLACEMENT_WAIT, 101 * S + 100 * MS },
            { 102 * S, FAILED, DEAD, REPLACEMENT_WAIT, 102 * S + 200 * MS },
            { 103 * S, FAILED, DEAD, REPLACEMENT_WAIT, 103 * S + 400 * MS },
            { 110 * S, FAILED, DEAD, REPLACEMENT_WAIT, 110 * S + 800 * MS },
            { 120 * S, FAILED, DEAD, REPLACEMENT_WAIT, 120 * S + 1600 * MS },
            { 130 * S, FAILED, DEAD, REPLACEMENT_WAIT, 130 * S + 3200 * MS },
            { 140 * S, FAILED, ALONE, REPLACEMENT_WAIT, 140 * S + 6400 * MS },
            { 150 * S, FAILED, DEAD, REPLACEMENT_WAIT, 150 * S + 12800 * MS },
            { 151 * S, NOTHING, SUSPECT, REPLACEMENT_WAIT, 150 * S + 12800 * MS },
            { 152 * S, NOTHING, ALONE, REPLACEMENT_GIVE_UP, 150 * S + 12800 * MS },
            { 163 * S, NOTHING, DEAD, REPLACEMENT_NOW, 150 * S + 12800 * MS },
            { 163 * S, FAILED, DEAD, REPLACEMENT_WAIT, 163 * S + 25600 * MS },
            { 190 * S, FAILED, DEAD, REPLACEMENT_WAIT, 220 * S },
            { 230 * S, FAILED, DEAD, REPLACEMENT_WAIT, 260 * S },
            { 231 * S, REPLACED, WELL, REPLACEMENT_NONE, 0 } },
          16 },
        { "another build is looked for each second, said once, and is no failure",
          { { 100 * S, NOTHING, ALONE, REPLACEMENT_NOW, 100 * S },
            { 101 * S, OTHER_BUILD, ALONE, REPLACEMENT_WAIT, 102 * S },
            { 102 * S, OTHER_BUILD_AGAIN, ALONE, REPLACEMENT_WAIT, 103 * S },
            { 103 * S, FAILED, ALONE, REPLACEMENT_WAIT, 103 * S + 100 * MS },
            { 104 * S, OTHER_BUILD, ALONE, REPLACEMENT_WAIT, 105 * S },
            { 105 * S, REPLACED, ALONE, REPLACEMENT_WAIT, 105 * S + 100 * MS },
            { 106 * S, OTHER_BUILD, ALONE, REPLACEMENT_WAIT, 107 * S } },
          7 },
};

/* *started is when the template that serves was started. */
static void happen(Replacement *r, What what, usec_t now, usec_t *started)
{
        switch (what) {
        case NOTHING:
                break;
        case FAILED:
                replacement_failed(r, now);
                break;
        case OTHER_BUILD:
                assert_true(replacement_other_build(r, now));
                break;
        case OTHER_BUILD_AGAIN:
                assert_false(replacement_other_build(r, now));
                break;
        case REPLACED:
        case RELOADED:
                replacement_done(r, what == RELOADED);
                *started = now;
        }
}

static void test_stories(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(stories); i++) {
                usec_t started = BEGIN;
                Replacement r = {};

                for (size_t k = 0; k < stories[i].n; k++) {
                        const Event *e = &stories[i].events[k];
                        ReplacementView view = e->view;
                        ReplacementStep step;

                        view.now = BEGIN + e->at;
                        happen(&r, e->what, view.now, &started);
                        view.started = started;
                        step = replacement_decide(&r, &view);
                        if (step != e->step || (step != REPLACEMENT_NONE && r.at != BEGIN + e->due))
                                fail_msg("%s: event %zu: %d, due at %llu", stories[i].name, k, step,
                                         (unsigned long long) usec_sub(r.at, BEGIN));
                }
        }
}

static void test_age(void **state)
{
        static const struct {
                usec_t age, pause;
        } ages[] = { { REPLACEMENT_LIFE_MIN - 1, 400 * MS }, { REPLACEMENT_LIFE_MIN, 0 } };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(ages); i++) {
                Replacement r = { .n_young = 3 };
                ReplacementView view = { .alive = true, .started = BEGIN, .now = BEGIN + ages[i].age };

                (void) replacement_decide(&r, &view);
                assert_int_equal(r.at, view.now + ages[i].pause);
        }
}

static void test_hopeless(void **state)
{
        Replacement r = {};

        (void) state;
        for (unsigned n = 0; n < REPLACEMENT_FAILED_MAX; n++) {
                assert_false(replacement_hopeless(&r));
                replacement_failed(&r, BEGIN);
        }
        assert_true(replacement_hopeless(&r));
        replacement_done(&r, /* requested= */ false);
        assert_false(replacement_hopeless(&r));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stories),
                cmocka_unit_test(test_age),
                cmocka_unit_test(test_hopeless),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
