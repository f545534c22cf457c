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

static const struct {
        const char *text, *escaped;
        size_t max; /* 0 for enough */
} escapes[] = {
        { "", "" },
        { "plain ä€😀\twith\nlines \\x \" '", "plain ä€😀\twith\nlines \\x \" '" },
        { "a\r\nb\rc\r", "a\nb\\x0Dc\\x0D" },
        { "\x1b[31m\a\x7f", "\\x1B[31m\\x07\\x7F" },
        { "\xc2\x9b"
          "31m",
          "\\xC2\\x9B31m" }, /* CSI in C1 */
        { "caf\xe9 ol\xe9!", "caf\\xE9 ol\\xE9!" },
        { "a\xff\xc3", "a\\xFF\\xC3" },
        { "\xe2\x82", "\\xE2\\x82" },                         /* truncated */
        { "\xc0\xaf\xe0\x80\xaf", "\\xC0\\xAF\\xE0\\x80\\xAF" }, /* overlong */
        { "\xed\xa0\x80", "\\xED\\xA0\\x80" },               /* a surrogate */
        { "\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80" },     /* beyond U+10FFFF */
        { "\xef\xbf\xbe", "\\xEF\\xBF\\xBE" },               /* a noncharacter */
        { "abc", "ab", 2 },
        { "ab€", "ab", 4 },
        { "ab€c", "ab€", 5 },
        { "ab\x1b", "ab", 5 },
        { "ab\x1b", "ab\\x1B", 6 },
};

static void test_escape(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(escapes); i++) {
                char text[64] = {};
                size_t n;

                n = utf8_escape(escapes[i].text, strlen(escapes[i].text), true, text,
                                escapes[i].max ?: sizeof text - 1);
                assert_string_equal(text, escapes[i].escaped);
                assert_int_equal(n, strlen(escapes[i].escaped));
        }
        assert_int_equal(utf8_escape("a\0b", 3, true, (char[8]){}, 8),
                         6); /* a zero is a character like others */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_printable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
