/* SPDX-License-Identifier: MIT */

/* The parser of access.format: every code of PHP-FPM, every modifier, and what is wrong. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "helpers/poolfile.h"
#include "config/access.h"

/* A format of one piece. */
static const struct {
        const char *format;
        AccessCode code;
        const char *text;
} code_cases[] = {
        { "%%", ACCESS_TEXT, "%" },
        { "plain", ACCESS_TEXT, "plain" },
        { "{}", ACCESS_TEXT, "{}" },
        { "%C", ACCESS_CPU, NULL },
        { "%{}C", ACCESS_CPU, NULL },
        { "%{total}C", ACCESS_CPU, NULL },
        { "%{user}C", ACCESS_CPU_USER, NULL },
        { "%{system}C", ACCESS_CPU_SYSTEM, NULL },
        { "%d", ACCESS_SECONDS, NULL },
        { "%{seconds}d", ACCESS_SECONDS, NULL },
        { "%{milli}d", ACCESS_MILLISECONDS, NULL },
        { "%{milliseconds}d", ACCESS_MILLISECONDS, NULL },
        { "%{mili}d", ACCESS_MILLISECONDS, NULL },
        { "%{miliseconds}d", ACCESS_MILLISECONDS, NULL },
        { "%{MILLI}d", ACCESS_MILLISECONDS, NULL },
        { "%{micro}d", ACCESS_MICROSECONDS, NULL },
        { "%{microseconds}d", ACCESS_MICROSECONDS, NULL },
        { "%{REMOTE_ADDR}e", ACCESS_PARAM, "REMOTE_ADDR" },
        { "%f", ACCESS_SCRIPT, NULL },
        { "%l", ACCESS_LENGTH, NULL },
        { "%m", ACCESS_METHOD, NULL },
        { "%M", ACCESS_BYTES, NULL },
        { "%{bytes}M", ACCESS_BYTES, NULL },
        { "%{kilo}M", ACCESS_KILOBYTES, NULL },
        { "%{kilobytes}M", ACCESS_KILOBYTES, NULL },
        { "%{mega}M", ACCESS_MEGABYTES, NULL },
        { "%{megabytes}M", ACCESS_MEGABYTES, NULL },
        { "%n", ACCESS_POOL, NULL },
        { "%{X-Foo}o", ACCESS_HEADER, "X-Foo" },
        { "%p", ACCESS_PID, NULL },
        { "%P", ACCESS_PARENT, NULL },
        { "%q", ACCESS_QUERY, NULL },
        { "%Q", ACCESS_QUESTION, NULL },
        { "%r", ACCESS_NAME, NULL },
        { "%R", ACCESS_PEER, NULL },
        { "%s", ACCESS_STATUS, NULL },
        { "%t", ACCESS_STARTED, NULL },
        { "%{%F %T}t", ACCESS_STARTED, "%F %T" },
        { "%T", ACCESS_ENDED, NULL },
        { "%{%s}T", ACCESS_ENDED, "%s" },
        { "%u", ACCESS_USER, NULL },
};

static AccessFormat *parse_format(const char *text)
{
        char error[ACCESS_ERROR_MAX] = "";
        AccessFormat *format = NULL;

        if (access_format_parse(text, error, &format) < 0)
                fail_msg("%s is refused: %s", text, error);
        return format;
}

static void test_codes(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(code_cases); i++) {
                _cleanup_(freep) AccessFormat *f = parse_format(code_cases[i].format);
                const char *text = code_cases[i].text;

                if (f->n_pieces != 1 || f->pieces[0].code != code_cases[i].code)
                        fail_msg("%s: %zu pieces, the first is %d", code_cases[i].format, f->n_pieces,
                                 f->pieces[0].code);
                assert_int_equal(f->pieces[0].size, text ? strlen(text) : 0);
                if (text)
                        assert_memory_equal(f->pieces[0].text, text, strlen(text));
                else
                        assert_null(f->pieces[0].text);
        }
}

/* No code of the table is without a case. */
static void test_all_codes_are_here(void **state _unused_)
{
        for (AccessCode code = ACCESS_PERCENT + 1; code < _ACCESS_CODE_MAX; code++) {
                size_t i = 0;

                while (i < ELEMENTSOF(code_cases) && code_cases[i].code != code)
                        i++;
                if (i == ELEMENTSOF(code_cases))
                        fail_msg("code %d (%%%c)", code, access_codes[code].letter);
        }
}

static void test_pieces(void **state _unused_)
{
        _cleanup_(freep) AccessFormat *f = parse_format("%R - %u %{%Y}t 100%%\"%m\"");
        static const AccessCode codes[] = {
                ACCESS_PEER, ACCESS_TEXT, ACCESS_USER, ACCESS_TEXT, ACCESS_STARTED,
                ACCESS_TEXT, ACCESS_TEXT, ACCESS_TEXT, ACCESS_METHOD, ACCESS_TEXT,
        };

        assert_int_equal(f->n_pieces, ELEMENTSOF(codes));
        for (size_t i = 0; i < ELEMENTSOF(codes); i++)
                assert_int_equal(f->pieces[i].code, codes[i]);
        assert_memory_equal(f->pieces[1].text, " - ", 3);
        assert_string_equal(f->pieces[4].text, "%Y");
        assert_true(access_format_has(f, ACCESS_METHOD));
        assert_false(access_format_has(f, ACCESS_CPU));
}

static const struct {
        const char *format, *error;
} wrong_cases[] = {
        { "", "must not be empty" },
        { "%z", "has \"%z\", which is no code" },
        { "%s %", "ends within a code" },
        { "%{a}", "ends within a code" },
        { "%{a", "has a \"{\" without its \"}\"" },
        { "%\xc3\xa4", "has a \"%\" without a letter" },
        { "% s", "has a \"%\" without a letter" },
        { "%e", "has \"%e\" without a name: %{NAME}e" },
        { "%{}o", "has \"%o\" without a name: %{Header}o" },
        { "%{a}p", "has braces before \"p\", which takes none" },
        { "%{a}%", "has braces before \"%\", which takes none" },
        { "%{a}{b}e", "has \"%{\", which is no code" },
        { "%{seconds}M", "has \"%{seconds}M\"; in the braces stands one of \"bytes\", \"kilo\", \"mega\"" },
        { "%{sys\ntem}C",
          "has \"%{sys?tem}C\"; in the braces stands one of \"total\", \"user\", \"system\"" },
};

static void test_wrong(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(wrong_cases); i++) {
                char error[ACCESS_ERROR_MAX] = "";
                AccessFormat *format = NULL;

                assert_int_equal(access_format_parse(wrong_cases[i].format, error, &format), -EINVAL);
                assert_null(format);
                assert_string_equal(error, wrong_cases[i].error);
        }
}

static void test_too_many(void **state _unused_)
{
        char text[2 * (ACCESS_PIECES_MAX + 1) + 1] = "", error[ACCESS_ERROR_MAX];
        AccessFormat *format = NULL;

        for (size_t i = 0; i < ACCESS_PIECES_MAX; i++)
                strcat(text, "%s");
        free(parse_format(text));
        strcat(text, "%s");
        assert_int_equal(access_format_parse(text, error, &format), -EINVAL);
        assert_string_equal(error, "must not have more than 128 codes and texts");
}

/* In a pool file it has a place. */
static void test_file(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = parse("access = { log = \"journal\"; format = \"%s\"; };");

        assert_string_equal(c->access_format, "%s");
        assert_refused("access = {\n log = \"journal\";\n format = \"%s %k\"; };",
                       "3: access.format: has \"%k\", which is no code");
        assert_refused("access = { format = \"\"; };", "1: access.format: must not be empty");
        assert_refused("access = { format = 1; };", "1: access.format: must be a string, not 1");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codes),
                cmocka_unit_test(test_all_codes_are_here),
                cmocka_unit_test(test_pieces),
                cmocka_unit_test(test_wrong),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
