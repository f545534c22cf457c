/* SPDX-License-Identifier: MIT */

/* The time limits of a request by a table of cases: how it stands, and what is to be done. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "helpers/fields.h"
#include "manager/decide/limits.h"

#define VERDICT_FIELDS(field) field(trace) field(measure) field(next)
DEFINE_ASSERT_FIELDS(LimitVerdict, VERDICT_FIELDS)

#define S USEC_PER_SEC

typedef struct Case {
        const char *name;
        usec_t terminate, slow;
        bool track_finished;
        LimitView view;
        LimitVerdict verdict;
} Case;

static const Case cases[] = {
        { "no limit", 0, 0, false, { .stage = STAGE_RUNNING, .age = 99 * S }, { .next = USEC_INFINITY } },
        { "within", 5 * S, 2 * S, false, { .stage = STAGE_RUNNING, .age = S }, { .next = S } },
        { "slow", 5 * S, 2 * S, false, { .stage = STAGE_RUNNING, .age = 2 * S },
          { .trace = true, .next = 3 * S } },
        { "slow, once", 5 * S, 2 * S, false, { .stage = STAGE_RUNNING, .age = 3 * S, .traced = true },
          { .next = 2 * S } },
        { "slow only", 0, 2 * S, false, { .stage = STAGE_RUNNING, .age = 3 * S },
          { .trace = true, .next = USEC_INFINITY } },
        { "slow, but the script is over", 0, 2 * S, true, { .stage = STAGE_FINISHING, .age = 3 * S },
          { .next = USEC_INFINITY } },

        { "too long", 5 * S, 0, false, { .stage = STAGE_RUNNING, .age = 5 * S },
          { .measure = LIMIT_INTERRUPT, .next = LIMIT_GRACE } },
        { "slow and too long", 2 * S, 2 * S, false, { .stage = STAGE_RUNNING, .age = 2 * S },
          { .trace = true, .measure = LIMIT_INTERRUPT, .next = LIMIT_GRACE } },
        { "interrupted just now", 5 * S, 0, false,
          { .stage = STAGE_RUNNING, .age = 5 * S, .measure = LIMIT_INTERRUPT, .since = S / 4 },
          { .measure = LIMIT_INTERRUPT, .next = LIMIT_GRACE - S / 4 } },
        { "does not end", 5 * S, 0, false,
          { .stage = STAGE_RUNNING, .age = 6 * S, .measure = LIMIT_INTERRUPT, .since = LIMIT_GRACE },
          { .measure = LIMIT_TERMINATE, .next = LIMIT_GRACE } },
        { "still does not end", 5 * S, 0, false,
          { .stage = STAGE_RUNNING, .age = 7 * S, .measure = LIMIT_TERMINATE, .since = LIMIT_GRACE },
          { .measure = LIMIT_KILL, .next = USEC_INFINITY } },
        { "killed", 5 * S, 0, false,
          { .stage = STAGE_RUNNING, .age = 8 * S, .measure = LIMIT_KILL, .since = LIMIT_GRACE },
          { .measure = LIMIT_KILL, .next = USEC_INFINITY } },

        { "shutdown functions, not tracked", 5 * S, 0, false, { .stage = STAGE_FINISHING, .age = 9 * S },
          { .next = USEC_INFINITY } },
        { "the client does not take its answer", 5 * S, 2 * S, false,
          { .stage = STAGE_SENDING, .age = 5 * S },
          { .measure = LIMIT_TERMINATE, .next = LIMIT_GRACE } },
        { "nor that of a script that was interrupted", 5 * S, 0, false,
          { .stage = STAGE_SENDING, .age = 6 * S, .measure = LIMIT_INTERRUPT, .since = LIMIT_GRACE },
          { .measure = LIMIT_TERMINATE, .next = LIMIT_GRACE } },
        { "and has a moment for it", 5 * S, 0, false,
          { .stage = STAGE_SENDING, .age = 6 * S, .measure = LIMIT_INTERRUPT, .since = S / 4 },
          { .measure = LIMIT_INTERRUPT, .next = LIMIT_GRACE - S / 4 } },
        { "the worker that waits for the client does not end", 5 * S, 0, false,
          { .stage = STAGE_SENDING, .age = 6 * S, .measure = LIMIT_TERMINATE, .since = LIMIT_GRACE },
          { .measure = LIMIT_KILL, .next = USEC_INFINITY } },
        { "shutdown functions, tracked", 5 * S, 0, true, { .stage = STAGE_FINISHING, .age = 9 * S },
          { .measure = LIMIT_INTERRUPT, .next = LIMIT_GRACE } },
        { "interrupted, shutdown functions run", 5 * S, 0, false,
          { .stage = STAGE_FINISHING, .age = 9 * S, .measure = LIMIT_INTERRUPT, .since = 4 * S },
          { .measure = LIMIT_INTERRUPT, .next = LIMIT_SHUTDOWN_GRACE - 4 * S } },
        { "interrupted, shutdown functions do not end", 5 * S, 0, false,
          { .stage = STAGE_FINISHING, .age = 10 * S, .measure = LIMIT_INTERRUPT, .since = 5 * S },
          { .measure = LIMIT_TERMINATE, .next = LIMIT_GRACE } },
        { "an idle connection is no request", 5 * S, 2 * S, true, { .stage = STAGE_IDLE, .age = 99 * S },
          { .next = USEC_INFINITY } },
        { "half a head is no request", 5 * S, 2 * S, true, { .stage = STAGE_READING, .age = 99 * S },
          { .next = USEC_INFINITY } },
};

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Case *c = &cases[i];
                const Config config = {
                        .request_terminate_timeout = c->terminate,
                        .request_terminate_timeout_track_finished = c->track_finished,
                        .request_slowlog_timeout = c->slow,
                };
                LimitVerdict verdict = limit_decide(&config, &c->view);

                assert_LimitVerdict(c->name, &verdict, &c->verdict);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
