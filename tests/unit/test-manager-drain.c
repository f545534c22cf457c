/* SPDX-License-Identifier: MIT */

/* How generations end, by tables of cases. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/decide/drain.h"

#define S USEC_PER_SEC
#define NOW (1000 * S)

static const struct {
        const char *name;
        DrainView view;
        DrainStep step;
} drains[] = {
        { "requests run", { .alive = 2 }, {} },
        { "without limit", { .alive = 2, .deadline = 0, .tell_at = 0 }, {} },
        { "its template reads backtraces until the last has ended",
          { .alive = 1, .deadline = NOW + 1 }, {} },
        { "a worker may be about to come", { .expects = true }, {} },
        { "it needs no template any more", {}, { .end_template = true } },
        { "the template died before its workers", { .alive = 1, .template_dead = true }, {} },
        { "all are gone", { .template_dead = true }, { .end_template = true, .gone = true } },
        { "also what nothing can be known of",
          { .template_dead = true, .expects = true }, { .gone = true } },
        { "gone is gone, at the deadline, too",
          { .template_dead = true, .deadline = NOW, .tell_at = NOW },
          { .end_template = true, .gone = true } },
        { "almost at the deadline", { .alive = 1, .deadline = NOW + 1 }, {} },
        { "at the deadline", { .alive = 1, .deadline = NOW }, { .kill = true } },
        { "beyond it", { .alive = 1, .deadline = NOW - S }, { .kill = true } },
        { "a template that does not end", { .deadline = NOW }, { .end_template = true, .kill = true } },
        { "almost time for a word", { .alive = 1, .tell_at = NOW + 1 }, {} },
        { "time for a word", { .alive = 1, .tell_at = NOW }, { .tell = true } },
        { "both", { .alive = 1, .deadline = NOW, .tell_at = NOW }, { .kill = true, .tell = true } },
};

static void test_drains(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(drains); i++) {
                DrainView view = drains[i].view;
                DrainStep step, expected = drains[i].step;

                view.now = NOW;
                step = drain_decide(&view);
                if (step.end_template != expected.end_template || step.gone != expected.gone ||
                    step.kill != expected.kill || step.tell != expected.tell)
                        fail_msg("%s: end_template %d, gone %d, kill %d, tell %d", drains[i].name,
                                 step.end_template, step.gone, step.kill, step.tell);
        }
}

static const struct {
        const char *name;
        StopReason why;
        usec_t timeout;
        DrainLimit limit;
} limits[] = {
        { "systemctl stop", STOP_ASKED, 60 * S, { 60 * S, KILL_STOP_DRAIN } },
        { "without limit", STOP_ASKED, 0, { 0, KILL_STOP_DRAIN } },
        { "idle_exit", STOP_IDLE, 3 * S, { 3 * S, KILL_STOP_DRAIN } },
        { "no template", STOP_WITHHELD, 60 * S, { 60 * S, KILL_STOP_DRAIN } },
        { "every request hangs", STOP_STALLED, 60 * S, { DRAIN_STALLED, KILL_STALL_DRAIN } },
        { "for ever", STOP_STALLED, 0, { DRAIN_STALLED, KILL_STALL_DRAIN } },
        { "no longer than they may anyway", STOP_STALLED, DRAIN_STALLED,
          { DRAIN_STALLED, KILL_STOP_DRAIN } },
        { "nor than that", STOP_STALLED, S, { S, KILL_STOP_DRAIN } },
};

static void test_limits(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(limits); i++) {
                DrainLimit limit = drain_limit(limits[i].why, limits[i].timeout);

                if (limit.time != limits[i].limit.time || limit.why != limits[i].limit.why)
                        fail_msg("%s: %llu us, reason %d", limits[i].name, (unsigned long long) limit.time,
                                 limit.why);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_drains),
                cmocka_unit_test(test_limits),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
