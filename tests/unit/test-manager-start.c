/* SPDX-License-Identifier: MIT */

/* How a generation starts and takes over, by tables of cases. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/decide/start.h"

#define S USEC_PER_SEC
#define BEGIN (1000 * S)
#define LIMIT (10 * S)

typedef struct Start {
        const char *name;
        usec_t age;
        StartView view;
        StartStep step;
} Start;

static const Start starts[] = {
        { "PHP starts", 0, {}, START_WAIT },
        { "PHP starts, without room", 0, { .room = false }, START_WAIT },
        { "room alone is not enough", 0, { .room = true }, START_WAIT },
        { "PHP has started", S, { .template_up = true, .room = true }, START_ORDER },
        { "but there is no room", S, { .template_up = true }, START_WAIT },
        { "the worker is ordered once", S, { .template_up = true, .room = true, .ordered = true },
          START_WAIT },
        { "the worker is ready", S, { .template_up = true, .ordered = true, .ready = true },
          START_TAKE_OVER },
        { "ready at the last moment", LIMIT, { .template_up = true, .ordered = true, .ready = true },
          START_TAKE_OVER },
        { "ready, and its template has died", S, { .ordered = true, .ready = true, .failed = true },
          START_FAILED },

        /* What takes its time is said once, whatever it is. */
        { "almost long enough", START_TELL_AFTER - 1, {}, START_WAIT },
        { "PHP takes its time", START_TELL_AFTER, {}, START_TELL },
        { "and that was said", START_TELL_AFTER, { .told = true }, START_WAIT },
        { "no room for long", 3 * S, { .template_up = true }, START_TELL },
        { "a worker takes its time", 3 * S, { .template_up = true, .ordered = true }, START_TELL },
        { "room comes before words", 3 * S, { .template_up = true, .room = true }, START_ORDER },
        { "readiness comes before words", 3 * S, { .template_up = true, .ordered = true, .ready = true },
          START_TAKE_OVER },

        /* Failures. */
        { "it says why itself", S, { .failed = true }, START_FAILED },
        { "whatever else there is", S, { .failed = true, .reload = true, .complains = true, .ready = true },
          START_FAILED },
        { "a reload to one that complains", S, { .reload = true, .complains = true, .template_up = true },
          START_COMPLAINS },
        { "even when its worker is ready", S,
          { .reload = true, .complains = true, .template_up = true, .ordered = true, .ready = true },
          START_COMPLAINS },
        { "a first start all the same", S, { .complains = true, .template_up = true, .room = true },
          START_ORDER },
        { "a reload without extensions", S, { .reload = true, .lost_extensions = true, .template_up = true },
          START_EXTENSIONS },
        { "PHP's own complaint comes first", S,
          { .reload = true, .complains = true, .lost_extensions = true },
          START_COMPLAINS },
        { "a template is replaced without extensions", S,
          { .lost_extensions = true, .template_up = true, .room = true }, START_ORDER },
        { "its worker could not be forked", S, { .template_up = true, .ordered = true, .stillborn = true },
          START_STILLBORN },
        { "no worker was ordered", S, { .template_up = true, .stillborn = true }, START_WAIT },
        { "forked in time, told apart from late", LIMIT,
          { .template_up = true, .ordered = true, .stillborn = true }, START_STILLBORN },
        { "almost too late", LIMIT - 1, { .told = true }, START_WAIT },
        { "PHP is late", LIMIT, {}, START_LATE },
        { "its worker is late", LIMIT, { .template_up = true, .ordered = true }, START_LATE },
        { "room is late", LIMIT, { .template_up = true }, START_NO_ROOM },
        { "room that comes late is taken", LIMIT, { .template_up = true, .room = true }, START_ORDER },
};

static void test_starts(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(starts); i++) {
                StartView view = starts[i].view;
                StartStep step;

                view.started = BEGIN;
                view.deadline = BEGIN + LIMIT;
                view.now = BEGIN + starts[i].age;
                step = start_decide(&view);
                if (step != starts[i].step)
                        fail_msg("%s: %d instead of %d", starts[i].name, step, starts[i].step);
        }
}

static const struct {
        const char *name;
        bool accepts;
        usec_t age;
        HandoverStep step;
} handovers[] = {
        { "nothing takes connections", false, 0, HANDOVER_DONE },
        { "nor later", false, 5 * S, HANDOVER_DONE },
        { "idle workers end", true, 0, HANDOVER_WAIT },
        { "almost for too long", true, HANDOVER_MAX - 1, HANDOVER_WAIT },
        { "one hangs", true, HANDOVER_MAX, HANDOVER_KILL },
        { "and dies", true, 2 * S, HANDOVER_KILL },
};

static void test_handovers(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(handovers); i++) {
                HandoverView view = {
                        .accepts = handovers[i].accepts,
                        .retired = BEGIN,
                        .now = BEGIN + handovers[i].age,
                };
                HandoverStep step = handover_decide(&view);

                if (step != handovers[i].step)
                        fail_msg("%s: %d instead of %d", handovers[i].name, step, handovers[i].step);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_starts),
                cmocka_unit_test(test_handovers),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
