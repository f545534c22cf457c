/* SPDX-License-Identifier: MIT */

/* Which pool a process is of. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sendmail/unit.h"

static const struct {
        const char *text, *pool;
} cases[] = {
        { NULL, NULL },
        { "", NULL },
        { "php-pool@www.service", "www" },
        { "php-pool@shop.example.com.service", "shop.example.com" },
        { "php-pool@.service", NULL },
        { "php-pool@www.socket", NULL },
        { "my-php-pool@www.service", NULL },
        { "user@1000.service", NULL },
        { "php-pool@", NULL },
        { "0::/php.slice/php-pool.slice/php-pool@www.service\n", "www" },
        { "0::/php.slice/php-pool.slice/php-pool@www.service/sub\n", "www" },
        { "9:name=systemd:/\n1:cpu:/\n0::/php-pool@a_b-c.service\n", "a_b-c" },
        { "0::/php-pool@x/php-pool@www.service", "www" },
        { "0::/system.slice/cron.service\n", NULL },
};

static void test_cases(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *pool = unit_pool(cases[i].text);

                if (cases[i].pool) {
                        assert_non_null(pool);
                        assert_string_equal(pool, cases[i].pool);
                } else
                        assert_null(pool);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
