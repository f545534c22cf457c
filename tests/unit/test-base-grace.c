/* SPDX-License-Identifier: MIT */

/* How long urgent records may wait, step by step. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/grace.h"

#define MS USEC_PER_MSEC
#define S USEC_PER_SEC

static const struct {
        const char *name;
        enum { LEFT, USE, VAIN, RENEW, TAKEN } step;
        usec_t at;    /* LEFT, and the end of USE and VAIN */
        usec_t value; /* LEFT: what is expected; USE: how long it took */
} steps[] = {
        { "all of it", LEFT, 1000 * S, 100 * MS },
        { "some is used", USE, 1000 * S, 30 * MS },
        { "and missing", LEFT, 1000 * S, 70 * MS },
        { "it is used up", USE, 1001 * S, 80 * MS },
        { "and gone", LEFT, 1001 * S, 0 },
        { "the next request has its own", RENEW },
        { "all of it", LEFT, 1001 * S, 100 * MS },
        { "in vain", VAIN, 1002 * S },
        { "no more", LEFT, 1002 * S, 0 },
        { "the next request has none either", RENEW },
        { "for a while", LEFT, 1011 * S, 0 },
        { "then it is tried again", LEFT, 1012 * S, 100 * MS },
        { "in vain", VAIN, 1012 * S + 100 * MS },
        { "the journal goes on", TAKEN },
        { "within the same request that is all", LEFT, 1013 * S, 0 },
        { "the next request has its own", RENEW },
        { "all of it", LEFT, 1013 * S, 100 * MS },
        { "outside of requests", USE, 1020 * S, 60 * MS },
        { "some is missing", LEFT, 1029 * S, 40 * MS },
        { "for a while", LEFT, 1030 * S, 100 * MS },
};

static void test_steps(void **state _unused_)
{
        Grace g = {};

        for (size_t i = 0; i < ELEMENTSOF(steps); i++) {
                usec_t at = steps[i].at;

                print_message("%s\n", steps[i].name);
                switch (steps[i].step) {
                case LEFT:
                        assert_int_equal(grace_left(&g, at), steps[i].value);
                        break;
                case USE:
                        grace_use(&g, at - steps[i].value, at, /* vain= */ false);
                        break;
                case VAIN:
                        grace_use(&g, at - GRACE_MAX, at, /* vain= */ true);
                        break;
                case RENEW:
                        grace_renew(&g);
                        break;
                case TAKEN:
                        grace_taken(&g);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_steps),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
