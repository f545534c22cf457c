/* SPDX-License-Identifier: MIT */

/* Columns of text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ctl/table.h"

/* The table as it is written; the caller frees it. */
static char *print_table(const Table *table)
{
        char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        assert_non_null(f);
        assert_int_equal(table_print(table, f), 0);
        fclose(f);
        return text;
}

static void test_print(void **state _unused_)
{
        static const char *const headings[] = { "NAME", "N", "LAST" };
        _cleanup_(table_clear) Table table = {};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(table_open(&table, ELEMENTSOF(headings)), 0);
        assert_int_equal(table_add_line(&table, headings), 0);
        assert_int_equal(table_add(&table, "ä"), 0);
        assert_int_equal(table_addf(&table, "%d/%d", 1, 2), 0);
        assert_int_equal(table_add(&table, NULL), 0);
        assert_int_equal(table_add(&table, "longer"), 0);
        assert_int_equal(table_add(&table, ""), 0);
        assert_int_equal(table_add(&table, "x\ny"), 0);

        text = print_table(&table);
        assert_string_equal(text, "NAME    N    LAST\n"
                                  "ä       1/2  -\n"
                                  "longer  -    x\\x0Ay\n");
}

/* Characters that take two columns of a terminal, or none, in a process whose locale has none of them. */
static void test_widths(void **state _unused_)
{
        static const char *const lines[][2] = { { "日本語", "a" }, { "e\u0301", "b" }, { "🧿", "c" } };
        _cleanup_(table_clear) Table table = {};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(table_open(&table, 2), 0);
        for (size_t i = 0; i < ELEMENTSOF(lines); i++)
                assert_int_equal(table_add_line(&table, lines[i]), 0);
        text = print_table(&table);
        assert_string_equal(text, "日本語  a\n"
                                  "e\u0301       b\n"
                                  "🧿      c\n");
}

/* What must not reach a terminal, nor libsmartcols, which would never end. */
static void test_hostile_text(void **state _unused_)
{
        static const char *const line[] = { "\x1b[31m\xff\xc3", "\u202e\xc2\x9b", "\\x1B" };
        _cleanup_(table_clear) Table table = {};
        _cleanup_(freep) char *text = NULL;

        assert_int_equal(table_open(&table, ELEMENTSOF(line)), 0);
        assert_int_equal(table_add_line(&table, line), 0);
        text = print_table(&table);
        assert_string_equal(text, "\\x1B[31m\\xFF\\xC3  \\xE2\\x80\\xAE\\xC2\\x9B  \\x1B\n");
}

/* Headings stand above nothing, too; and without them nothing is written. */
static void test_empty(void **state _unused_)
{
        for (size_t i = 0; i < 2; i++) {
                _cleanup_(table_clear) Table table = {};
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(table_open(&table, 1), 0);
                if (i > 0)
                        assert_int_equal(table_add(&table, "HEADING"), 0);
                text = print_table(&table);
                assert_string_equal(text, i > 0 ? "HEADING\n" : "");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_print),
                cmocka_unit_test(test_widths),
                cmocka_unit_test(test_hostile_text),
                cmocka_unit_test(test_empty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
