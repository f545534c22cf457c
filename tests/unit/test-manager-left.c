/* SPDX-License-Identifier: MIT */

/* Which children are programs that requests left running. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <unistd.h>

#include "helpers/child.h"
#include "manager/pool/left.h"

static void test_lists(void **state _unused_)
{
        static const struct {
                const char *list;
                pid_t own, before;
                size_t n;
                pid_t pid;
        } cases[] = {
                { "", 7, 0, 0, 0 },       { "7 ", 7, 0, 0, 0 },     { "7 8 ", 7, 0, 1, 8 },
                { "8 7 9 ", 7, 0, 2, 8 }, { "8 7 9 ", 7, 9, 2, 9 }, /* stays the same */
                { "8 9 ", 7, 10, 2, 8 },                            /* which has ended */
                { "8 9 ", -1, 0, 2, 8 },  { "x", 7, 0, 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Left left = { .n = 99, .pid = cases[i].before, .name = "before" };

                left_pick(cases[i].list, cases[i].own, &left);
                assert_int_equal(left.n, cases[i].n);
                assert_int_equal(left.pid, cases[i].pid);
                assert_string_equal(left.name, "");
        }
}

static pid_t child(void)
{
        pid_t pid = fork_child();

        if (pid == 0) {
                (void) pause();
                _exit(0);
        }
        return pid;
}

static void test_our_own_children(void **state _unused_)
{
        pid_t own = child(), other = child();
        Left left = {};

        assert_int_equal(left_look(own, &left), 0);
        assert_int_equal(left.n, 1);
        assert_int_equal(left.pid, other);
        assert_string_equal(left.name, "test-manager-le"); /* as much as the kernel has */
        end_child(own);
        end_child(other);
        assert_int_equal(left_look(own, &left), 0);
        assert_int_equal(left.n, 0);
        assert_int_equal(left.pid, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_our_own_children),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
