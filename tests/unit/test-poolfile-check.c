/* SPDX-License-Identifier: MIT */

/* What settings ask of each other: what gives way, and what is refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "helpers/poolfile.h"

static const struct {
        const char *text;
        uint64_t start, min, max;
} fit_cases[] = {
        { "", 4, 2, 6 },
        { "max_children = 6;", 4, 2, 6 },
        { "max_children = 5;", 3, 2, 5 },
        { "max_children = 3;", 2, 2, 3 },
        { "max_children = 1;", 1, 1, 1 },
        { "max_children = 100;", 4, 2, 6 },
        { "max_spare_servers = 1;", 1, 1, 1 },
        { "max_spare_servers = 16;", 9, 2, 16 },
        { "min_spare_servers = 8;", 8, 8, 8 },
        { "min_spare_servers = 4;", 5, 4, 6 },
        { "start_servers = 0;", 4, 2, 6 },
        { "start_servers = 1;", 1, 1, 6 },
        { "start_servers = 10;", 10, 2, 10 },
        { "min_spare_servers = 5; max_spare_servers = 15; start_servers = 0;", 10, 5, 15 },
        { "max_children = 4096; min_spare_servers = 4096;", 4096, 4096, 4096 },
        /* Only dynamic pools use them. */
        { "mode = \"static\"; max_children = 1;", 4, 2, 6 },
        { "mode = \"ondemand\"; max_spare_servers = 1; min_spare_servers = 3; start_servers = 2;", 2, 3, 1 },
};

static void test_fit(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(fit_cases); i++) {
                _cleanup_(config_freep) Config *c = NULL;
                _cleanup_(freep) char *text = NULL;

                assert_true(asprintf(&text, "pm = { %s };", fit_cases[i].text) > 0);
                c = parse(text);
                if (c->pm_start_servers != fit_cases[i].start ||
                    c->pm_min_spare_servers != fit_cases[i].min ||
                    c->pm_max_spare_servers != fit_cases[i].max)
                        fail_msg("%s: start %d, min %d, max %d", text, (int) c->pm_start_servers,
                                 (int) c->pm_min_spare_servers, (int) c->pm_max_spare_servers);
        }
}

static void test_emergency_restart(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = parse("emergency_restart = { threshold = 3; interval = 60; };");

        assert_int_equal(c->emergency_restart_threshold, 3);
        assert_int_equal(c->emergency_restart_interval, 60 * USEC_PER_SEC);
}

static const struct {
        const char *text, *errors;
} refused_cases[] = {
        { "pm = { max_children = 3;\n max_spare_servers = 4; };",
          "2: pm.max_spare_servers: must be at most pm.max_children, which is 3, not 4" },
        { "pm = { max_spare_servers = 17; };",
          "1: pm.max_spare_servers: must be at most pm.max_children, which is 16 by default, not 17" },
        { "pm = { min_spare_servers = 5; max_spare_servers = 4; };",
          "1: pm.min_spare_servers: must be at most pm.max_spare_servers, which is 4, not 5" },
        { "pm = { min_spare_servers = 17; };",
          "1: pm.min_spare_servers: must be at most pm.max_children, which is 16 by default, not 17" },
        { "pm = { min_spare_servers = 3; start_servers = 2; };",
          "1: pm.start_servers: must be at least pm.min_spare_servers, which is 3, not 2" },
        { "pm = { max_spare_servers = 3; start_servers = 4; };",
          "1: pm.start_servers: must be at most pm.max_spare_servers, which is 3, not 4" },
        { "pm = { max_children = 3; start_servers = 4; };",
          "1: pm.start_servers: must be at most pm.max_children, which is 3, not 4" },
        { "pm = { max_children = 0; max_spare_servers = 17; };",
          "1: pm.max_children: must be a whole number from 1 to 4096, not 0" },
        { "emergency_restart = { threshold = 1025; interval = 3; };",
          "1: emergency_restart.threshold: must be a whole number from 0 to 1024, not 1025" },
        { "emergency_restart = { threshold = 3; };",
          "1: emergency_restart.threshold: needs emergency_restart.interval too" },
        { "emergency_restart = { interval = 3; threshold = 0; };",
          "1: emergency_restart.interval: needs emergency_restart.threshold too" },
};

static void test_refused(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(refused_cases); i++)
                assert_refused(refused_cases[i].text, refused_cases[i].errors);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fit),
                cmocka_unit_test(test_emergency_restart),
                cmocka_unit_test(test_refused),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
