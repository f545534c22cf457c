/* SPDX-License-Identifier: MIT */

/* PHP's messages for browsers, as text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/util.h"
#include "worker/request/html-text.h"

static const struct {
        const char *message, *expected;
} cases[] = {
        { "", "" },
        { "fopen(a&lt;b&amp;c): Failed to open &quot;stream&quot;",
          "fopen(a<b&c): Failed to open \"stream\"" },
        { "fopen(a&lt;b) [<a href='/m/function.fopen'>function.fopen</a>]: No", "fopen(a<b): No" },
        { "PHP Warning:  fopen(x) [<a href='/m/function.fopen'>function.fopen</a>]: &lt; in /srv/a.php on "
          "line 1",
          "PHP Warning:  fopen(x): < in /srv/a.php on line 1" },
        { "PHP Fatal error:  include(): &lt;", "PHP Fatal error:  include(): <" },
        { "DateTime-&gt;modify(): &amp;lt;", "DateTime->modify(): &lt;" },
        { "PHP Startup: Unable to load dynamic library 'a&lt;b'",
          "PHP Startup: Unable to load dynamic library 'a<b'" },
        { "PHP Warning:  PHP Startup: &gt;", "PHP Warning:  PHP Startup: >" },
        { "PHP Request Shutdown: &gt;", "PHP Request Shutdown: >" },
        { "Unknown: &gt;", "Unknown: >" },
        /* What PHP did not escape. */
        { "Undefined variable $a &lt;", "Undefined variable $a &lt;" },
        { "PHP Warning:  Undefined array key \"&lt;\"", "PHP Warning:  Undefined array key \"&lt;\"" },
        { "&lt;b&gt;: said by a script", "&lt;b&gt;: said by a script" },
        { "PHP Fatal error:  Uncaught Exception: f(): &lt;",
          "PHP Fatal error:  Uncaught Exception: f(): &lt;" },
        { "(): &lt;", "(): &lt;" },
        { "f( &lt;", "f( &lt;" },
        { "f() [<a href='x'>y", "f() [<a href='x'>y" },
        { "f() [<a href='x'>y: &lt;", "f() [<a href='x'>y: <" },
        { "PHP ", "PHP " },
};

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[256];

                html_text_plain(strcpy(text, cases[i].message));
                assert_string_equal(text, cases[i].expected);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
