/* SPDX-License-Identifier: MIT */

/* Values as people write them: tables of texts and what they are. */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/parse.h"

#define MINUTE (60 * USEC_PER_SEC)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

typedef struct Case {
        const char *text;
        int result;
        uint64_t value;
} Case;

static void check(const Case *cases, size_t n, int (*parse)(const char *s, uint64_t *ret))
{
        for (size_t i = 0; i < n; i++) {
                uint64_t value = 77;
                int r = parse(cases[i].text, &value);

                if (r != cases[i].result || value != (r < 0 ? 77 : cases[i].value))
                        fail_msg("\"%s\": %d, %llu", cases[i].text, r, (unsigned long long) value);
        }
}

static const Case u64_cases[] = {
        { "0", 0, 0 },
        { "7", 0, 7 },
        { "007", 0, 7 },
        { "18446744073709551615", 0, UINT64_MAX },
        { "18446744073709551616", -ERANGE, 0 },
        { "99999999999999999999999", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "+1", -EINVAL, 0 },
        { " 1", -EINVAL, 0 },
        { "1 ", -EINVAL, 0 },
        { "0x1", -EINVAL, 0 },
        { "1.0", -EINVAL, 0 },
        { "\xd9\xa1", -EINVAL, 0 },
};

static void test_u64(void **state _unused_)
{
        check(u64_cases, ELEMENTSOF(u64_cases), parse_u64);
}

static void test_fd(void **state _unused_)
{
        int fd = 77;

        assert_int_equal(parse_fd("3", &fd), 0);
        assert_int_equal(fd, 3);
        assert_int_equal(parse_fd("2147483647", &fd), 0);
        assert_int_equal(fd, INT_MAX);
        assert_int_equal(parse_fd("2147483648", &fd), -ERANGE);
        assert_int_equal(parse_fd("-1", &fd), -EINVAL);
        assert_int_equal(parse_fd("", &fd), -EINVAL);
        assert_int_equal(fd, INT_MAX);
}

static const Case usec_cases[] = {
        { "0", 0, 0 },
        { "30", 0, 30 * USEC_PER_SEC },
        { "30s", 0, 30 * USEC_PER_SEC },
        { " 30 s ", 0, 30 * USEC_PER_SEC },
        { "5m", 0, 5 * MINUTE },
        { "5min", 0, 5 * MINUTE },
        { "5 minutes", 0, 5 * MINUTE },
        { "1h 30min", 0, 90 * MINUTE },
        { "1h30min", 0, 90 * MINUTE },
        { "1h\t30", 0, HOUR + 30 * USEC_PER_SEC },
        { "2d", 0, 2 * DAY },
        { "1day 1hour", 0, DAY + HOUR },
        { "250ms", 0, 250 * USEC_PER_MSEC },
        { "7us", 0, 7 },
        { "1.5s", 0, 1500 * USEC_PER_MSEC },
        { "0.5", 0, 500 * USEC_PER_MSEC },
        { "0.25d", 0, 6 * HOUR },
        { "0.0000019s", 0, 1 },
        { "1.5us", 0, 1 },
        { "1.999999999999999999999999s", 0, 1999999 },
        { "18446744073709551614us", 0, UINT64_MAX - 1 },
        { "18446744073709551615us", -ERANGE, 0 },
        { "18446744073709551614us 1us", -ERANGE, 0 },
        { "18446744073709.551615s", -ERANGE, 0 },
        { "213503982334601d", -ERANGE, 0 },
        { "99999999999999999999", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { " ", -EINVAL, 0 },
        { "s", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "1 2", -EINVAL, 0 },
        { "1x", -EINVAL, 0 },
        { "1S", -EINVAL, 0 },
        { "1s,", -EINVAL, 0 },
        { "1.", -EINVAL, 0 },
        { ".5", -EINVAL, 0 },
        { "1.s", -EINVAL, 0 },
        { "1.5.5s", -EINVAL, 0 },
        { "1s s", -EINVAL, 0 },
        { "infinity", -EINVAL, 0 },
};

static void test_usec(void **state _unused_)
{
        check(usec_cases, ELEMENTSOF(usec_cases), parse_usec);
}

static const Case size_cases[] = {
        { "0", 0, 0 },
        { "512", 0, 512 },
        { "64M", 0, 64 << 20 },
        { "64m", 0, 64 << 20 },
        { "1K", 0, 1024 },
        { "2G", 0, (uint64_t) 2 << 30 },
        { "3t", 0, (uint64_t) 3 << 40 },
        { "16777215T", 0, (uint64_t) 16777215 << 40 },
        { "16777216T", -ERANGE, 0 },
        { "18446744073709551616", -ERANGE, 0 },
        { "", -EINVAL, 0 },
        { "M", -EINVAL, 0 },
        { "1MB", -EINVAL, 0 },
        { "1 M", -EINVAL, 0 },
        { "1P", -EINVAL, 0 },
        { "1{", -EINVAL, 0 },
        { "1+", -EINVAL, 0 },
        { "1.5M", -EINVAL, 0 },
        { "-1", -EINVAL, 0 },
        { "1\xeb", -EINVAL, 0 },
};

static void test_size(void **state _unused_)
{
        check(size_cases, ELEMENTSOF(size_cases), parse_size);
}

static const struct {
        usec_t usec;
        const char *text;
} format_usec_cases[] = {
        { 0, "0" },
        { 1, "1us" },
        { 250 * USEC_PER_MSEC, "250ms" },
        { 1500 * USEC_PER_MSEC, "1s 500ms" },
        { 60 * USEC_PER_SEC, "1min" },
        { 90 * MINUTE, "1h 30min" },
        { 366 * DAY, "366d" },
        { USEC_INFINITY - 1, "213503982d 8h 1min 49s 551ms 614us" },
        { USEC_INFINITY, "infinity" },
};

/* What is written can be read again. */
static void test_format_usec(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(format_usec_cases); i++) {
                char buffer[PARSE_FORMAT_MAX];
                usec_t t;

                assert_string_equal(format_usec(buffer, format_usec_cases[i].usec),
                                    format_usec_cases[i].text);
                if (format_usec_cases[i].usec == USEC_INFINITY)
                        continue;
                assert_int_equal(parse_usec(buffer, &t), 0);
                assert_int_equal(t, format_usec_cases[i].usec);
        }
}

static const struct {
        uint64_t size;
        const char *text;
} format_size_cases[] = {
        { 0, "0" },
        { 1500, "1500" },
        { 1023, "1023" },
        { 1024, "1K" },
        { 1025, "1025" },
        { 64 << 20, "64M" },
        { (uint64_t) 1 << 50, "1024T" },
        { UINT64_MAX, "18446744073709551615" },
        { UINT64_MAX << 40, "16777215T" },
};

static void test_format_size(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(format_size_cases); i++) {
                char buffer[PARSE_FORMAT_MAX];
                uint64_t size;

                assert_string_equal(format_size(buffer, format_size_cases[i].size),
                                    format_size_cases[i].text);
                assert_int_equal(parse_size(buffer, &size), 0);
                assert_int_equal(size, format_size_cases[i].size);
        }
}

static void test_version(void **state _unused_)
{
        static const struct {
                const char *version;
                bool at_least;
        } version_cases[] = {
                { "8.4", true },      { "8.4.0", true },   { "8.4.28", true },  { "8.5.0-dev", true },
                { "8.6.0RC3", true }, { "8.10.1", true },  { "9.0", true },     { "10.0.1", true },
                { "8.3.99", false },  { "8.2.36", false }, { "7.4.33", false }, { "7.9", false },
                { "", false },        { "8", false },      { "8.", false },     { "x", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(version_cases); i++)
                if (version_at_least(version_cases[i].version, 8, 4) != version_cases[i].at_least)
                        fail_msg("%s", version_cases[i].version);
}

static void test_usec_arithmetic(void **state _unused_)
{
        assert_int_equal(usec_add(1, 2), 3);
        assert_int_equal(usec_add(USEC_INFINITY - 1, 2), USEC_INFINITY);
        assert_int_equal(usec_add(USEC_INFINITY, USEC_INFINITY), USEC_INFINITY);
        assert_int_equal(usec_sub(3, 2), 1);
        assert_int_equal(usec_sub(2, 3), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_u64),         cmocka_unit_test(test_fd),
                cmocka_unit_test(test_usec),        cmocka_unit_test(test_size),
                cmocka_unit_test(test_format_usec), cmocka_unit_test(test_format_size),
                cmocka_unit_test(test_version),     cmocka_unit_test(test_usec_arithmetic),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
