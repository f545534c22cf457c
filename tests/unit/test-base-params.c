/* SPDX-License-Identifier: MIT */

/* The list of a request's parameters: order, replacing, stable strings, bounds on what a client sends. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/params.h"

static Params *new_params(void)
{
        Params *params = NULL;

        assert_int_equal(params_new(&params), 0);
        assert_non_null(params);
        return params;
}

static int set(Params *params, const char *name, const char *value)
{
        return params_set(params, name, strlen(name), value, strlen(value));
}

static void assert_param(const Params *params, size_t i, const char *name, const char *value)
{
        const Param *param = params_at(params, i);

        assert_string_equal(param->name, name);
        assert_int_equal(param->name_size, strlen(name));
        assert_string_equal(param->value, value);
        assert_int_equal(param->value_size, strlen(value));
}

static void test_empty(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        size_t size = 77;

        assert_int_equal(params_count(params), 0);
        assert_null(params_get(params, "A", &size));
        assert_null(params_get(params, "", NULL));
        assert_int_equal(size, 77);
        params_unset(params, "A");
        params_clear(params);
        params_free(NULL);
}

static void test_order_and_lookup(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        size_t size;

        assert_int_equal(set(params, "SCRIPT_NAME", "/a.php"), 0);
        assert_int_equal(set(params, "QUERY_STRING", ""), 0);
        assert_int_equal(set(params, "SCRIPT_NAMF", "same size"), 0);

        assert_int_equal(params_count(params), 3);
        assert_param(params, 0, "SCRIPT_NAME", "/a.php");
        assert_param(params, 1, "QUERY_STRING", "");
        assert_param(params, 2, "SCRIPT_NAMF", "same size");
        assert_string_equal(params_get(params, "SCRIPT_NAMF", &size), "same size");
        assert_int_equal(size, 9);
        assert_string_equal(params_get(params, "QUERY_STRING", &size), "");
        assert_int_equal(size, 0);
        assert_null(params_get(params, "SCRIPT_NAM", NULL));
        assert_null(params_get(params, "SCRIPT_NAME2", NULL));
        assert_null(params_get(params, "script_name", NULL));
}

static void test_replaced_keeps_its_place_and_old_strings(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        const char *old;

        assert_int_equal(set(params, "A", "1"), 0);
        assert_int_equal(set(params, "B", "2"), 0);
        old = params_get(params, "A", NULL);
        assert_int_equal(set(params, "A", "longer"), 0);

        assert_int_equal(params_count(params), 2);
        assert_param(params, 0, "A", "longer");
        assert_param(params, 1, "B", "2");
        assert_string_equal(old, "1");
}

static void test_unset_moves_the_rest_up(void **state _unused_)
{
        static const struct {
                const char *unset;
                const char *left[3];
        } cases[] = {
                { "A", { "B", "C" } },
                { "B", { "A", "C" } },
                { "C", { "A", "B" } },
                { "D", { "A", "B", "C" } },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(params_freep) Params *params = new_params();
                size_t n = 0;

                assert_int_equal(set(params, "A", "v"), 0);
                assert_int_equal(set(params, "B", "v"), 0);
                assert_int_equal(set(params, "C", "v"), 0);
                params_unset(params, cases[i].unset);

                for (; n < ELEMENTSOF(cases[i].left) && cases[i].left[n]; n++)
                        assert_param(params, n, cases[i].left[n], "v");
                assert_int_equal(params_count(params), n);
        }
}

static void test_set_first(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();

        assert_int_equal(params_set_first(params, "ROLE", 4, "alone", 5), 0);
        params_clear(params);

        assert_int_equal(set(params, "A", "1"), 0);
        assert_int_equal(set(params, "B", "2"), 0);
        assert_int_equal(params_set_first(params, "ROLE", 4, "new", 3), 0);
        assert_int_equal(params_count(params), 3);
        assert_param(params, 0, "ROLE", "new");
        assert_param(params, 1, "A", "1");
        assert_param(params, 2, "B", "2");

        assert_int_equal(params_set_first(params, "B", 1, "ignored", 7), 0);
        assert_int_equal(params_count(params), 3);
        assert_param(params, 0, "B", "2");
        assert_param(params, 1, "ROLE", "new");
        assert_param(params, 2, "A", "1");
        assert_string_equal(params_get(params, "ROLE", NULL), "new");
}

/* As many as there may be: what moves, moves within the list. */
static void test_full_list(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        char name[16], last[16];

        for (unsigned i = 0; i < PARAMS_COUNT_MAX; i++) {
                (void) snprintf(name, sizeof name, "N%u", i);
                assert_int_equal(set(params, name, ""), 0);
        }
        assert_int_equal(set(params, "ONE_MORE", ""), -E2BIG);
        (void) snprintf(last, sizeof last, "N%u", PARAMS_COUNT_MAX - 1);

        assert_int_equal(params_set_first(params, "N7", 2, "", 0), 0);
        assert_param(params, 0, "N7", "");
        assert_param(params, 7, "N6", "");
        assert_param(params, PARAMS_COUNT_MAX - 1, last, "");
        assert_int_equal(params_set_first(params, last, strlen(last), "", 0), 0);
        assert_param(params, 0, last, "");

        params_unset(params, "N8");
        assert_int_equal(params_count(params), PARAMS_COUNT_MAX - 1);
        assert_param(params, 9, "N9", "");
        assert_int_equal(params_set_first(params, "N20", 3, "", 0), 0);
        assert_param(params, 0, "N20", "");
        assert_param(params, 1, last, "");
        for (size_t i = 0; i < params_count(params); i++)
                assert_non_null(params_get(params, params_at(params, i)->name, NULL));
}

/* Nothing is forgotten where the place in front was used and all are removed. */
static void test_set_first_and_emptied(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();

        assert_int_equal(params_set_first(params, "ROLE", 4, "1", 1), 0);
        params_unset(params, "ROLE");
        assert_int_equal(params_count(params), 0);
        assert_int_equal(set(params, "A", "2"), 0);
        assert_param(params, 0, "A", "2");
        assert_string_equal(params_get(params, "A", NULL), "2");
}

static void test_zero_bytes(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        size_t size;

        assert_int_equal(params_set(params, "A\0B", 3, "x\0y", 3), 0);
        assert_int_equal(params_set(params, "A\0C", 3, "z", 1), 0);
        assert_int_equal(params_set(params, NULL, 0, NULL, 0), 0);
        assert_int_equal(params_set(params, "\0", 1, "\0", 1), 0);

        /* A name that holds a zero is no C string's name, and does not hide one. */
        assert_int_equal(params_count(params), 4);
        assert_null(params_get(params, "A", NULL));
        assert_int_equal(set(params, "A", "own"), 0);
        assert_string_equal(params_get(params, "A", NULL), "own");
        assert_string_equal(params_get(params, "", &size), "");
        assert_int_equal(size, 0);

        assert_int_equal(params_at(params, 0)->value_size, 3);
        assert_memory_equal(params_at(params, 0)->name, "A\0B", 4);
        assert_memory_equal(params_at(params, 0)->value, "x\0y", 4);
        assert_memory_equal(params_at(params, 3)->name, "\0", 2);
        assert_memory_equal(params_at(params, 3)->value, "\0", 2);
}

static void test_strings_of_its_own(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        const char *script;

        assert_int_equal(set(params, "SCRIPT_NAME", "/a.php/tail"), 0);
        for (size_t i = 0; i < 1000; i++) {
                char name[32];

                (void) snprintf(name, sizeof name, "COPY_%zu", i);
                assert_int_equal(set(params, name, params_get(params, "SCRIPT_NAME", NULL)), 0);
        }
        assert_param(params, 1000, "COPY_999", "/a.php/tail");

        script = params_get(params, "SCRIPT_NAME", NULL);
        assert_int_equal(params_set(params, "SCRIPT_NAME", 11, script, 6), 0);
        assert_param(params, 0, "SCRIPT_NAME", "/a.php");
}

/* Fills the list by values of very different sizes, then looks at every pointer that it gave. */
static void test_pointers_are_stable(void **state _unused_)
{
        static const size_t sizes[] = { 0, 1, 7, 20000, 100, 16383, 16384, 5000, 3, 40000 };
        _cleanup_(params_freep) Params *params = new_params();
        const char *names[100], *values[100];
        static char value[40000];

        memset(value, 'v', sizeof value);
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                size_t size = sizes[i % ELEMENTSOF(sizes)];
                char name[32];

                (void) snprintf(name, sizeof name, "N%zu", i);
                assert_int_equal(params_set(params, name, strlen(name), value, size), 0);
                names[i] = params_at(params, i)->name;
                values[i] = params_get(params, name, NULL);
        }

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                size_t size = sizes[i % ELEMENTSOF(sizes)];
                char name[32];

                (void) snprintf(name, sizeof name, "N%zu", i);
                assert_string_equal(names[i], name);
                assert_memory_equal(values[i], value, size);
                assert_int_equal(values[i][size], 0);
                assert_ptr_equal(params_get(params, name, NULL), values[i]);
        }
}

static void test_clear(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();
        static char value[100000];

        for (size_t i = 0; i < 100; i++) {
                assert_int_equal(params_set(params, "BIG", 3, value, sizeof value), 0);
                assert_int_equal(set(params, "SMALL", "1"), 0);
                assert_int_equal(params_count(params), 2);
                params_clear(params);
                assert_int_equal(params_count(params), 0);
                assert_null(params_get(params, "SMALL", NULL));
        }
}

static void test_count_bound(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();

        for (size_t i = 0; i < PARAMS_COUNT_MAX; i++) {
                char name[32];

                (void) snprintf(name, sizeof name, "N%zu", i);
                assert_int_equal(set(params, name, "v"), 0);
        }
        assert_int_equal(set(params, "MORE", "v"), -E2BIG);
        assert_int_equal(params_count(params), PARAMS_COUNT_MAX);
        assert_null(params_get(params, "MORE", NULL));

        params_clear(params);
        assert_int_equal(set(params, "MORE", "v"), 0);
}

/* Without this, a client could make the list work and grow without end under one name. */
static void test_replacing_counts(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = new_params();

        for (size_t i = 0; i < PARAMS_COUNT_MAX; i++) {
                assert_int_equal(set(params, "A", "v"), 0);
                if (i % 2 == 0)
                        params_unset(params, "A");
        }
        assert_int_equal(set(params, "A", "w"), -E2BIG);
        assert_string_equal(params_get(params, "A", NULL), "v");
}

static void test_size_bound(void **state _unused_)
{
        static const struct {
                size_t first; /* bytes of a first value, under a name of one byte */
                size_t name_size, value_size;
                int result;
        } cases[] = {
                { PARAMS_SIZE_MAX - 3, 0, 0, -E2BIG },
                { PARAMS_SIZE_MAX - 4, 0, 0, -E2BIG },
                { PARAMS_SIZE_MAX - 5, 0, 0, 0 },
                { PARAMS_SIZE_MAX - 5, 1, 0, -E2BIG },
                { PARAMS_SIZE_MAX - 5, 0, 1, -E2BIG },
                { PARAMS_SIZE_MAX - 8, 2, 1, 0 },
                { PARAMS_SIZE_MAX - 8, 2, 2, -E2BIG },
                { PARAMS_SIZE_MAX - 8, 3, 1, -E2BIG },
                { 0, PARAMS_SIZE_MAX, 0, -E2BIG },
                { 0, 0, PARAMS_SIZE_MAX, -E2BIG },
                { 0, SIZE_MAX, SIZE_MAX, -E2BIG },
                { 0, 2, SIZE_MAX, -E2BIG },
                { 0, SIZE_MAX, 2, -E2BIG },
        };
        static char bytes[PARAMS_SIZE_MAX];

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(params_freep) Params *params = new_params();

                assert_int_equal(params_set(params, "A", 1, bytes, cases[i].first), 0);
                assert_int_equal(params_set(params, bytes, cases[i].name_size, bytes, cases[i].value_size),
                                 cases[i].result);
                assert_int_equal(params_count(params), cases[i].result < 0 ? 1 : 2);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_order_and_lookup),
                cmocka_unit_test(test_replaced_keeps_its_place_and_old_strings),
                cmocka_unit_test(test_unset_moves_the_rest_up),
                cmocka_unit_test(test_set_first),
                cmocka_unit_test(test_full_list),
                cmocka_unit_test(test_set_first_and_emptied),
                cmocka_unit_test(test_zero_bytes),
                cmocka_unit_test(test_strings_of_its_own),
                cmocka_unit_test(test_pointers_are_stable),
                cmocka_unit_test(test_clear),
                cmocka_unit_test(test_count_bound),
                cmocka_unit_test(test_replacing_counts),
                cmocka_unit_test(test_size_bound),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
