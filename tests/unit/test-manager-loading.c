/* SPDX-License-Identifier: MIT */

/* What the dynamic linker says of a worker, and what the manager makes of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/decide/loading.h"

#define WORKER "/usr/libexec/php-pool/php-pool-worker-8.4"
#define OTHERWISE ", or choose another PHP by php.version."

static const struct {
        const char *words, *expected;
} cases[] = {
        { WORKER ": error while loading shared libraries: libphp.so: cannot open shared object file: No "
                 "such file or "
                 "directory",
          "php-pool-worker-8.4 does not find the library of PHP 8.4 (libphp.so: cannot open shared object "
          "file: No such "
          "file or directory): install the package libphp8.4-embed" OTHERWISE },
        { "before\n" WORKER
          ": error while loading shared libraries: libxml2.so.2: cannot open shared object file: No "
          "such file or directory\nbehind",
          "php-pool-worker-8.4 does not find a library that it or PHP 8.4 needs (libxml2.so.2: cannot open "
          "shared object "
          "file: No such file or directory): install that" OTHERWISE },
        { WORKER ": symbol lookup error: " WORKER ": undefined symbol: zend_x",
          "php-pool-worker-8.4 was built for PHP 8.4 and finds a library of another (" WORKER
          ": undefined symbol: zend_x): install the packages libphp8.4-embed and php8.4-pool "
          "again" OTHERWISE },
        { WORKER ": symbol lookup error: /usr/lib/libphp.so: undefined symbol: xmlX, version LIBXML2_2.9",
          "php-pool-worker-8.4 does not start, since a library lacks what another needs "
          "(/usr/lib/libphp.so: "
          "undefined symbol: xmlX, version LIBXML2_2.9): upgrade both to versions that go "
          "together" OTHERWISE },
        { "", NULL },
        { "Failed to execute " WORKER ": No such file or directory", NULL },
        { "sh: 1: php: not found", NULL },
};

static void test_words(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(loading_explain("8.4", cases[i].words, &text), cases[i].expected != NULL);
                if (cases[i].expected)
                        assert_string_equal(text, cases[i].expected);
                else
                        assert_null(text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_words),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
