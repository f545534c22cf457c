/* SPDX-License-Identifier: MIT */

/* Whether a pool can serve, by a table of cases. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/decide/health.h"

#define NOW (100 * USEC_PER_SEC)
#define STALL (30 * USEC_PER_SEC)

/* quiet: for how long no request has begun or ended. */
#define VIEW(_serving, _template, _given_up, _coming, _full, _idle, _queued, quiet)                         \
        {                                                                                                   \
                .serving = _serving, .template_up = _template, .replace_given_up = _given_up,               \
                .coming = _coming, .full = _full, .idle = _idle, .queued = _queued, .now = NOW,             \
                .progress = NOW - (quiet), .stall = STALL,                                                  \
        }

static const struct {
        const char *name;
        HealthView view; /* serving, template, given up, coming, full, idle, queued, quiet */
        const char *reason; /* a word of it; NULL for a sound pool */
        bool saturated;
} cases[] = {
        { "it starts or stops", VIEW(0, 0, 0, 0, 0, 0, 0, NOW), NULL, false },
        { "idle", VIEW(1, 1, 0, 0, 0, 2, 0, NOW), NULL, false },

        { "all busy, none ends, some wait", VIEW(1, 1, 0, 0, 1, 0, 1, NOW), "watchdog_stall", true },
        { "for just that long", VIEW(1, 1, 0, 0, 1, 0, 1, STALL), "watchdog_stall", true },
        { "not yet for that long", VIEW(1, 1, 0, 0, 1, 0, 1, STALL - 1), NULL, true },
        { "progress that is yet to come", VIEW(1, 1, 0, 0, 1, 0, 1, -USEC_PER_SEC), NULL, true },
        { "nobody waits", VIEW(1, 1, 0, 0, 1, 0, 0, NOW), NULL, false },
        { "a worker is idle", VIEW(1, 1, 0, 0, 1, 1, 1, NOW), NULL, false },
        { "a worker is on its way", VIEW(1, 1, 0, 1, 1, 0, 1, NOW), NULL, false },
        { "there may be more workers", VIEW(1, 1, 0, 0, 0, 0, 1, NOW), NULL, false },
        { "it does not serve", VIEW(0, 1, 0, 0, 1, 0, 1, NOW), NULL, true },

        { "the template died", VIEW(1, 0, 0, 0, 0, 2, 0, NOW), NULL, false },
        { "and cannot be replaced", VIEW(1, 0, 1, 0, 0, 2, 0, 0), "template", false },
        { "which is tried once more", VIEW(1, 0, 1, 1, 0, 2, 0, 0), "template", false },
        { "and succeeds", VIEW(1, 1, 1, 0, 0, 2, 0, 0), NULL, false },
        { "no template, and it hangs", VIEW(1, 0, 0, 0, 1, 0, 1, NOW), "watchdog_stall", true },
        { "no template, and it stops", VIEW(0, 0, 1, 0, 0, 2, 0, NOW), NULL, false },
};

static void test_cases(void **state)
{
        (void) state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *reason = health_reason(&cases[i].view);

                if (!reason != !cases[i].reason || (reason && !strstr(reason, cases[i].reason)))
                        fail_msg("%s: %s", cases[i].name, reason ?: "no reason");
                assert_int_equal(health_stalled(&cases[i].view), reason && strstr(reason, "stall"));
                assert_ptr_equal(reason, health_reason(&cases[i].view));
                if (health_saturated(&cases[i].view) != cases[i].saturated)
                        fail_msg("%s: saturated %d", cases[i].name, !cases[i].saturated);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
