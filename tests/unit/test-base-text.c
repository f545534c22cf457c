/* SPDX-License-Identifier: MIT */

/* Text of others that cannot harm a terminal, and passes for nothing else. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/text.h"

static const struct {
        const char *text, *line, *lines;
} cases[] = {
        { "", "", "" },
        { "plain \\ ä€😀", "plain \\ ä€😀", "plain \\ ä€😀" },
        { "\x1b[31m\r\n", "\\x1B[31m\\x0D\\x0A", "\\x1B[31m\n" },
        { "\a\b\x7f\tx\ry\n", "\\x07\\x08\\x7F\\x09x\\x0Dy\\x0A", "\\x07\\x08\\x7F\tx\\x0Dy\n" },
        { "\r", "\\x0D", "\\x0D" },
        { "\xc2\x9b" "31m", "\\xC2\\x9B31m", "\\xC2\\x9B31m" }, /* CSI in C1 */
        { "a\xff\xc3", "a\\xFF\\xC3", "a\\xFF\\xC3" },
        { "\xed\xa0\x80\xc0\x8a", "\\xED\\xA0\\x80\\xC0\\x8A", "\\xED\\xA0\\x80\\xC0\\x8A" },
        { "a\u202eb\u2066c\u2069", "a\\xE2\\x80\\xAEb\\xE2\\x81\\xA6c\\xE2\\x81\\xA9",
          "a\\xE2\\x80\\xAEb\\xE2\\x81\\xA6c\\xE2\\x81\\xA9" },
        { "\u2028\u2029", "\\xE2\\x80\\xA8\\xE2\\x80\\xA9", "\\xE2\\x80\\xA8\\xE2\\x80\\xA9" },
        { "שלום", "שלום", "שלום" }, /* what is written from the right as such is no trick */
        { "a\u200fb\u061cc", "a\\xE2\\x80\\x8Fb\\xD8\\x9Cc", "a\\xE2\\x80\\x8Fb\\xD8\\x9Cc" },
};

static void test_escape(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *line = NULL, *lines = NULL, *again = NULL;
                Text t;

                assert_int_equal(text_escape(cases[i].text, &line), 0);
                assert_string_equal(line, cases[i].line);
                assert_int_equal(text_escape(line, &again), 0);
                assert_string_equal(again, line); /* so twice is as good as once */

                assert_int_equal(text_open(&t), 0);
                text_write_escaped(t.f, cases[i].text, strlen(cases[i].text), true);
                assert_int_equal(text_close(&t, 0, &lines), 0);
                assert_string_equal(lines, cases[i].lines);
        }
}

static void test_bytes(void **state _unused_)
{
        _cleanup_(freep) char *text = NULL;
        Text t;

        assert_int_equal(text_open(&t), 0);
        text_write_escaped(t.f, "a\0b", 3, false);
        assert_int_equal(text_close(&t, 0, &text), 0);
        assert_string_equal(text, "a\\x00b");
}

static void test_format(void **state _unused_)
{
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(text_format(&text, "%s-%d", "a", 7), 0);
        assert_string_equal(text, "a-7");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_escape),
                cmocka_unit_test(test_bytes),
                cmocka_unit_test(test_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
