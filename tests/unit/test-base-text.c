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
        { "\x1b[31m\r\n", "\\x1b[31m\\x0d\\x0a", "\\x1b[31m\n" },
        { "\a\b\x7f\tx\ry\n", "\\x07\\x08\\x7f\\x09x\\x0dy\\x0a", "\\x07\\x08\\x7f\tx\\x0dy\n" },
        { "\r", "\\x0d", "\\x0d" },
        { "\xc2\x9b" "31m", "\\xc2\\x9b31m", "\\xc2\\x9b31m" }, /* CSI in C1 */
        { "a\xff\xc3", "a\\xff\\xc3", "a\\xff\\xc3" },
        { "\xed\xa0\x80\xc0\x8a", "\\xed\\xa0\\x80\\xc0\\x8a", "\\xed\\xa0\\x80\\xc0\\x8a" },
        { "a\u202eb\u2066c\u2069", "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x81\\xa9",
          "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x81\\xa9" },
        { "\u2028\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9" },
        { "שלום", "שלום", "שלום" }, /* what is written from the right as such is no trick */
        { "a\u200fb\u061cc", "a\\xe2\\x80\\x8fb\\xd8\\x9cc", "a\\xe2\\x80\\x8fb\\xd8\\x9cc" },
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
