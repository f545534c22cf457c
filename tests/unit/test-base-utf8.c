/* SPDX-License-Identifier: MIT */

/* Text of others, made fit for terminals, records and sd-bus. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/utf8.h"

static const struct {
        const char *text, *line, *lines;
} cases[] = {
        { "", "", "" },
        { "plain ä€😀", "plain ä€😀", "plain ä€😀" },
        { "a\nb\r\n", "a?b??", "a\nb?\n" },
        { "\x1b[31m\t\x7f", "?[31m??", "?[31m??" },
        { "\xc2\x9b"
          "31m",
          "??31m", "??31m" }, /* CSI in C1 */
        { "a\xff\xc3", "a??", "a??" },
        { "a\u202eb\u2066c\u200fd\u061ce\u2028f", "a???b???c???d??e???f",
          "a???b???c???d??e???f" },                                                 /* moves text */
        { "\xed\xa0\x80", "???", "???" },                                           /* a surrogate */
        { "\xef\xbf\xbe\xef\xb7\x90\xf4\x8f\xbf\xbf", "??????????", "??????????" }, /* noncharacters */
};

static void test_printable(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char line[64], lines[64];

                utf8_make_printable(strcpy(line, cases[i].text));
                assert_string_equal(line, cases[i].line);
                utf8_make_printable_lines(strcpy(lines, cases[i].text));
                assert_string_equal(lines, cases[i].lines);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_printable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
