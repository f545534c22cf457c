/* SPDX-License-Identifier: MIT */

/*
 * The syntax of PHP-FPM's files, a line at a time. That PHP reads them the same way is looked at in
 * test_fpm_reference.py, with these lines among others.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ctl/import/fpm-file.h"

static const struct {
        const char *line;
        const char *expected; /* "[section]", "name=value" or "name[key]=value", one after the other; NULL:
                                 an error */
        const char *error;
} cases[] = {
        { "", "" },
        { "; comment", "" },
        { "   \t", "" },
        { "[www]", "[www]" },
        { "[www] ; comment", "[www]" },
        { "  [www]\r\n", "[www]" },
        { "['www']", "[www]" },
        { "[www", NULL, "\"]\" is missing" },
        { "[www] x", NULL, "nothing may stand behind" },
        { "pm = static", "pm=static" },
        { "\tpm=static\r\n", "pm=static" },
        { "a = b\nc = d", "a=bc=d" },
        { "a =", "a=" },
        { "a", NULL, "\"=\" and a value are missing behind a" },
        { "= a", NULL, "a line is a [section]" },
        { "\"a\" = b", NULL, "a line is a [section]" },

        /* Words, blanks, comments. */
        { "a = b c   d ; e", "a=b c   d" },
        { "a = b;c", "a=b" },
        { "a = b#c,d:e", "a=b#c,d:e" },
        { "# a = b", "# a=b" },
        { "a = /usr/sbin/sendmail -t -i -f w@x.y", "a=/usr/sbin/sendmail -t -i -f w@x.y" },
        { "a = {b}", "a={b}" },
        { "a = b[c]", "a=b[c]" },
        { "a = b=c", NULL, "\"=\" cannot stand here" },

        /* Yes and no. */
        { "a = yes", "a=1" },
        { "a = On ; comment", "a=1" },
        { "a = TRUE", "a=1" },
        { "a = no", "a=" },
        { "a = off", "a=" },
        { "a = none", "a=" },
        { "a = null", "a=" },
        { "a = yes/no", "a=yes/no" },
        { "a = \"yes\"", "a=yes" },

        /* Quotes. */
        { "a = \"b;c\" ; d", "a=b;c" },
        { "a = \"b c\" d", "a=b cd" },
        { "a = b\"c\"d", "a=bcd" },
        { "a = \"b \\\" \\\\ \\n \\$ \\' c\"", "a=b \" \\ \\n $ \\' c" },
        { "a = 'b \"c\" \\' d", "a=b \"c\" \\ d" },
        { "a = 'b' c", "a=b c" },
        { "a = b\\n\\\\", "a=b\\n\\\\" },
        { "a = \"b", NULL, "the string that starts here is not closed" },
        { "a = it's", NULL, "the apostrophe" },

        /* Variables: SET is "value", EMPTY is "", others are not set. */
        { "a = ${SET}/b", "a=value/b" },
        { "a = \"${SET} ${ SET }\"", "a=value value" },
        { "a = ${UNSET}", "a=" },
        { "a = ${UNSET:-b c}", "a=b c" },
        { "a = ${UNSET:-\"b;}\"  c=d}e", "a=b;}c=de" },
        { "a = ${UNSET:-E_NOTICE}", "a=8" },
        { "a = ${UNSET:-E_NOTICE | 1}", "a=E_NOTICE | 1" },
        { "a = ${UNSET:-b\\}$}c}", "a=b\\}$}c" },
        { "a = ${UNSET:-${UNSET:-b}${SET:-c}}", "a=bvalue" },
        { "a = \"${SET:-\"b\"} ${ UNSET :-}\"", "a=value " },
        { "a = ${SET:-\"}", NULL, "not closed" },
        { "a = ${UNSET:-b;c}", NULL, "not closed" },
        { "a = ${UNSET:-'b'}", NULL, "not closed" },
        { "a = "
          "${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-"
          "${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-${U:-"
          "}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}", NULL, "too deep" },
        { "a = ${EMPTY:-b}", "a=" },
        { "a = ${SET:-b}", "a=value" },
        { "a = '${SET}'", "a=${SET}" },
        { "a = ${SET", NULL, "not closed" },
        { "a = ${}", NULL, "not closed" },
        { "a = $SET $$ $", "a=$SET $$ $" },

        /* Numbers and what is between them. */
        { "a = -5", "a=-5" },
        { "a = 0660", "a=0660" },
        { "a = E_ALL", "a=30719" },
        { "a = E_ALL & ~E_NOTICE & ~E_DEPRECATED", "a=22519" },
        { "a = E_ALL E_NOTICE", "a=30719 8" },
        { "a = E_ALL-1", "a=E_ALL-1" },
        { "a = \"E_ALL\" | 1", "a=1" },
        { "a = 1 | 6 & 2", "a=2" },
        { "a = 4 & !0 | 2", "a=2" },
        { "a = (1|2) ^ 4", "a=7" },
        { "a = ~5", "a=-6" },
        { "a = !5", "a=0" },
        { "a = 99999999999 | 0", "a=1215752191" },
        { "a = b & c", "a=0" },
        { "a = 5 | 6 b", "a=7" },
        { "a = b(c)", NULL, "\"(\" cannot stand here" },
        { "a = (1", NULL, "a parenthesis is not closed" },
        { "a = 1 |", NULL, "nothing stands behind" },
        { "a = ((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))", NULL, "too deep" },
        { "a = PHP_VERSION", NULL, "the constant PHP_VERSION is not known" },

        /* Keys. */
        { "a[b] = c", "a[b]=c" },
        { "a[] = c", "a[]=c" },
        { "a [ b ] = c", "a[b ]=c" },
        { "a[\"b\"] = c", "a[b]=c" },
        { "a['b' ] = c", "a[b]=c" },
        { "a[b = c", NULL, "\"]\" behind the name" },
        { "a[b] c", NULL, "are missing behind a" },
};

static int on_section(unsigned line _unused_, const char *name, void *userdata)
{
        fprintf(userdata, "[%s]", name);
        return 0;
}

static int on_entry(unsigned line _unused_, const char *name, const char *key, const char *value,
                    void *userdata)
{
        fprintf(userdata, "%s%s%s%s=%s", name, key ? "[" : "", key ?: "", key ? "]" : "", value);
        return 0;
}

static const char *get_variable(unsigned line _unused_, const char *name, void *userdata _unused_)
{
        return streq(name, "SET") ? "value" : streq(name, "EMPTY") ? "" : NULL;
}

static void test_lines(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;
                FpmError error = {};
                size_t size;
                FILE *f = open_memstream(&text, &size);
                const FpmReader reader = { on_section, on_entry, get_variable, f };
                int r;

                assert_non_null(f);
                r = fpm_file_parse(cases[i].line, strlen(cases[i].line), &reader, &error);
                assert_int_equal(fclose(f), 0);
                if (r < 0 ? cases[i].expected != NULL
                          : !cases[i].expected || !streq(text, cases[i].expected))
                        fail_msg("%s: %s %s", cases[i].line, text, error.text);
                if (r < 0 && (error.line != 1 || !strstr(error.text, cases[i].error)))
                        fail_msg("%s: line %u: %s", cases[i].line, error.line, error.text);
        }
}

static void test_constants_of_each_version(void **state _unused_)
{
        static const struct {
                const char *php, *line, *expected;
        } version_cases[] = {
                { "8.2", "a = E_ALL", "a=32767" },
                { "8.3", "a = E_ALL & ~E_NOTICE", "a=32759" },
                { "8.4", "a = E_ALL & ~E_NOTICE", "a=30711" },
                { "8.10", "a = E_ALL", "a=30719" },
                { "9.0", "a = E_ALL", "a=30719" },
                { "7.4", "a = E_ALL", "a=32767" },
                { "8.2", "a = ~E_ALL", "a=-32768" },
                { "8.4", "a = ~E_ALL", "a=-30720" },
                { "8.2", "a = E_ALL & ~E_STRICT", "a=30719" },
                { "8.4", "a = E_ALL | E_STRICT", "a=32767" },
                { "8.4", "a = E_STRICT", "a=2048" },
                { "8.2", "a = \"E_ALL\"", "a=E_ALL" },
                { "8.2", "a = ${UNSET:-b}", "a=" },
                { "8.2", "a = ${SET:-b}", "a=" },
                { "8.3", "a = ${UNSET:-b}", "a=b" },
                { "8.4", "a = ${SET:-b}", "a=value" },
                { "", "a = E_ALL", "a=30719" },
                { NULL, "a = E_ALL", "a=30719" },
        };

        for (size_t i = 0; i < ELEMENTSOF(version_cases); i++) {
                const char *line = version_cases[i].line;
                _cleanup_(freep) char *text = NULL;
                FpmError error = {};
                size_t size;
                FILE *f = open_memstream(&text, &size);
                const FpmReader reader = { on_section, on_entry, get_variable, f, version_cases[i].php };

                assert_non_null(f);
                assert_int_equal(fpm_file_parse(line, strlen(line), &reader, &error), 0);
                assert_int_equal(fclose(f), 0);
                assert_string_equal(text, version_cases[i].expected);
        }
}

static void test_error_names_its_line(void **state _unused_)
{
        static const char text[] = "[a]\n\n; x\nb = \"\n";
        const FpmReader reader = { on_section, on_entry, get_variable, stderr };
        FpmError error = {};

        assert_int_equal(fpm_file_parse(text, strlen(text), &reader, &error), -EINVAL);
        assert_int_equal(error.line, 4);
        assert_int_equal(fpm_file_parse("\na\0b", 4, &reader, &error), -EINVAL);
        assert_int_equal(error.line, 2);
        assert_non_null(strstr(error.text, "zero byte"));
}

static int refuse(unsigned line, const char *name _unused_, void *userdata _unused_)
{
        return line == 2 ? -EPERM : 0;
}

static void test_reader_ends_it(void **state _unused_)
{
        const FpmReader reader = { refuse, on_entry, get_variable, NULL };
        FpmError error = {};

        assert_int_equal(fpm_file_parse("[a]\n[b]\n", 8, &reader, &error), -EPERM);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_lines),
                cmocka_unit_test(test_constants_of_each_version),
                cmocka_unit_test(test_error_names_its_line),
                cmocka_unit_test(test_reader_ends_it),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
