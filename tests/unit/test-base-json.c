/* SPDX-License-Identifier: MIT */

/* JSON: commas and names, escaping, and what is not UTF-8; and the decoder of UTF-8 under it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/utf8.h"

typedef struct Buffer {
        char *text;
        size_t size;
        Json json;
} Buffer;

static void buffer_open(Buffer *b, JsonStyle style)
{
        *b = (Buffer) { .json.style = style };
        b->json.f = open_memstream(&b->text, &b->size);
        assert_non_null(b->json.f);
}

static void assert_written(Buffer *b, const char *expected)
{
        fclose(b->json.f);
        assert_string_equal(b->text, expected);
        free(b->text);
}

static void assert_styled(JsonStyle style, const char *value, const char *expected)
{
        Buffer b;

        buffer_open(&b, style);
        json_string(&b.json, NULL, value);
        assert_written(&b, expected);
}

static void assert_string_as(const char *value, const char *expected)
{
        assert_styled(JSON_TERMINAL, value, expected);
}

static void test_structure(void **state _unused_)
{
        Buffer b;

        buffer_open(&b, JSON_TERMINAL);
        json_begin_object(&b.json, NULL);
        json_string(&b.json, "a", "b");
        json_number(&b.json, "n", UINT64_MAX);
        json_hundredths(&b.json, "h", 1205);
        json_begin_array(&b.json, "empty");
        json_end_array(&b.json);
        json_begin_array(&b.json, "list");
        json_begin_object(&b.json, NULL);
        json_end_object(&b.json);
        json_begin_object(&b.json, NULL);
        json_string(&b.json, "x", NULL);
        json_end_object(&b.json);
        json_number(&b.json, NULL, 0);
        json_end_array(&b.json);
        json_string(&b.json, "q\"", "");
        json_end_object(&b.json);
        assert_written(&b, "{\"a\":\"b\",\"n\":18446744073709551615,\"h\":12.05,\"empty\":[],"
                           "\"list\":[{},{\"x\":null},0],\"q\\\"\":\"\"}");
}

static void test_escapes(void **state _unused_)
{
        assert_string_as("plain /", "\"plain /\"");
        assert_string_as("\"\\", "\"\\\"\\\\\"");
        assert_string_as("\b\t\n\f\r", "\"\\b\\t\\n\\f\\r\"");
        assert_string_as("\x01\v\x1b\x7f", "\"\\u0001\\u000b\\u001b\\u007f\"");
        assert_string_as("\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"");
        assert_string_as("\xc2\x9b\u202e\u2069", "\"\\u009b\\u202e\\u2069\"");
        assert_string_as("\xf0\x9f\xbf\xbe", "\"\\ud83f\\udffe\""); /* U+1FFFE, which stands for nothing */
        assert_string_as("ä€😀", "\"ä€😀\"");
}

#define BAD "\xef\xbf\xbd"

static void test_invalid_utf8(void **state _unused_)
{
        assert_string_as("a\xff" "b", "\"a" BAD "b\"");
        assert_string_as("\xc3", "\"" BAD "\"");              /* truncated */
        assert_string_as("\xe2\x82\"", "\"" BAD BAD "\\\"\""); /* and the quote is still escaped */
        assert_string_as("\xc0\xaf", "\"" BAD BAD "\"");      /* overlong "/" */
        assert_string_as("\xed\xa0\x80", "\"" BAD BAD BAD "\""); /* surrogate */
        assert_string_as("\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\"");
}

/* The same texts for a reader that is no terminal, as PHP-FPM writes them. */
static void test_fpm(void **state _unused_)
{
        assert_styled(JSON_FPM, "plain /", "\"plain \\/\"");
        assert_styled(JSON_FPM, "\"\\", "\"\\\"\\\\\"");
        assert_styled(JSON_FPM, "\b\t\n\f\r", "\"\\u0008\\u0009\\u000a\\u000c\\u000d\"");
        assert_styled(JSON_FPM, "\x7f\xc2\x9b", "\"\\u007f\\u009b\"");
        assert_styled(JSON_FPM, "ä\u202e😀", "\"ä\u202e😀\"");
        assert_styled(JSON_FPM, "a\xff\xc3", "\"a??\"");
        assert_styled(JSON_FPM, "\xef\xbf\xbe\xef\xbf\xbf", "\"??\"");
}

/* A part of a string, with zero bytes in it, too; and a separator of the caller's own. */
static void test_parts(void **state _unused_)
{
        Buffer b;

        buffer_open(&b, JSON_TERMINAL);
        json_begin_object(&b.json, NULL);
        json_string_of(&b.json, "a", "b\0c/d", 3);
        b.json.separator = ", ";
        json_begin_array(&b.json, "list");
        json_string_of(&b.json, NULL, "", 0);
        json_string(&b.json, NULL, "x");
        json_end_array(&b.json);
        json_number(&b.json, "n", 1);
        json_end_object(&b.json);
        json_end_line(&b.json);
        json_begin_array(&b.json, NULL);
        json_end_array(&b.json);
        assert_written(&b, "{\"a\":\"b\\u0000c\", \"list\":[\"\",\"x\"],\"n\":1}\n[]");
}

static void test_utf8_bounds(void **state _unused_)
{
        static const struct {
                const char *bytes;
                size_t n;
                uint32_t code;
        } cases[] = {
                { "\x7f", 1, 0x7f },
                { "\xc2\x80", 2, 0x80 },
                { "\xdf\xbf", 2, 0x7ff },
                { "\xe0\xa0\x80", 3, 0x800 },
                { "\xed\x9f\xbf", 3, 0xd7ff },
                { "\xee\x80\x80", 3, 0xe000 },
                { "\xef\xbf\xbf", 3, 0xffff },
                { "\xf0\x90\x80\x80", 4, 0x10000 },
                { "\xf4\x8f\xbf\xbf", 4, 0x10ffff },
                { "\x80", 0, 0 },
                { "\xc1\xbf", 0, 0 },
                { "\xe0\x9f\xbf", 0, 0 },
                { "\xf0\x8f\xbf\xbf", 0, 0 },
                { "\xf5\x80\x80\x80", 0, 0 },
                { "\xe2\x28\xa1", 0, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                uint32_t code = 0;

                assert_int_equal(utf8_decode(cases[i].bytes, strlen(cases[i].bytes), &code), cases[i].n);
                assert_int_equal(code, cases[i].code);
        }
        assert_int_equal(utf8_decode("\xc3\xa4", 1, &(uint32_t) { 0 }), 0);
        assert_int_equal(utf8_decode("", 0, &(uint32_t) { 0 }), 0);
}

static void test_printable(void **state _unused_)
{
        static const char *const cases[][2] = {
                { "", "" },
                { "/a?b c~", "/a?b c~" },
                { "a\nb\tc\x7f\x1b[0m", "a?b?c??[0m" },
                { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
                { "\xc2\x9b", "??" }, /* CSI, a control character of two bytes */
                { "a\xc3", "a?" },
                { "\xff\xc3\xa4\xe2\x82", "?\xc3\xa4??" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char s[32];

                strcpy(s, cases[i][0]);
                utf8_make_printable(s);
                assert_string_equal(s, cases[i][1]);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_structure),
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_invalid_utf8),
                cmocka_unit_test(test_fpm),
                cmocka_unit_test(test_parts),
                cmocka_unit_test(test_utf8_bounds),
                cmocka_unit_test(test_printable),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
