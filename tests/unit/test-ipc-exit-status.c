/* SPDX-License-Identifier: MIT */

/* How processes end: the numbers that both sides know, and words for all others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>

#include "ipc/exit-status.h"

/* The list itself, of which no number and no text may stand twice. */
static const struct {
        int number;
        bool expected;
        const char *text;
} statuses[] = {
#define STATUS(name, number, expected, text) { number, expected, text },
#include "ipc/exit-status.def"
};

static void test_list(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(statuses); i++) {
                assert_true(statuses[i].number >= 0 && statuses[i].number <= 255);
                assert_string_equal(exit_status_text(statuses[i].number), statuses[i].text);
                assert_int_equal(exit_status_expected(statuses[i].number), statuses[i].expected);
                for (size_t j = 0; j < i; j++) {
                        assert_int_not_equal(statuses[i].number, statuses[j].number);
                        assert_string_not_equal(statuses[i].text, statuses[j].text);
                }
        }
}

static void test_what_is_a_surprise(void **state _unused_)
{
        assert_true(exit_status_expected(EXIT_STATUS_RETIRED));
        assert_true(exit_status_expected(EXIT_STATUS_MAX_REQUESTS));
        assert_true(exit_status_expected(EXIT_STATUS_MAX_MEMORY));
        assert_true(exit_status_expected(EXIT_STATUS_TERMINATED));
        assert_false(exit_status_expected(EXIT_STATUS_PHP_EXIT));
        assert_false(exit_status_expected(EXIT_STATUS_NOT_EXECUTED));

        /* PHP's own, after a fatal error; and what no process can say. */
        assert_false(exit_status_expected(255));
        assert_null(exit_status_text(255));
        assert_null(exit_status_text(-1));
}

static void test_descriptions(void **state _unused_)
{
        static const struct {
                int code, status;
                const char *text;
        } cases[] = {
                { CLD_EXITED, 0, "exited with status 0" },
                { CLD_EXITED, 255, "exited with status 255" },
                { CLD_EXITED, INT32_MIN, "exited with status -2147483648" },
                { CLD_KILLED, SIGKILL, "was killed by SIGKILL" },
                { CLD_DUMPED, SIGSEGV, "was killed by SIGSEGV (core dumped)" },
                { CLD_KILLED, 0, "was killed by SIG?" },
                { CLD_DUMPED, 999, "was killed by SIG? (core dumped)" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[EXIT_DESCRIPTION_MAX];

                exit_describe(cases[i].code, cases[i].status, text);
                assert_string_equal(text, cases[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_what_is_a_surprise),
                cmocka_unit_test(test_descriptions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
