/* SPDX-License-Identifier: MIT */

/* Columns of text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ctl/table.h"

static void test_print(void **state _unused_)
{
        _cleanup_(table_clear) Table table = { .n_columns = 3 };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        FILE *f;

        assert_int_equal(table_add(&table, "NAME"), 0);
        assert_int_equal(table_add(&table, "N"), 0);
        assert_int_equal(table_add(&table, "LAST"), 0);
        assert_int_equal(table_add(&table, "ä"), 0);
        assert_int_equal(table_addf(&table, "%d/%d", 1, 2), 0);
        assert_int_equal(table_add(&table, NULL), 0);
        assert_int_equal(table_add(&table, "longer"), 0);
        assert_int_equal(table_add(&table, ""), 0);
        assert_int_equal(table_add(&table, "x\ny"), 0);

        f = open_memstream(&text, &size);
        assert_non_null(f);
        table_print(&table, f);
        fclose(f);
        assert_string_equal(text, "NAME    N    LAST\n"
                                  "ä       1/2  -\n"
                                  "longer  -    x\\x0Ay\n");
}

static void test_empty(void **state _unused_)
{
        _cleanup_(table_clear) Table table = { .n_columns = 1 };

        table_print(&table, stdout);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_print),
                cmocka_unit_test(test_empty),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
