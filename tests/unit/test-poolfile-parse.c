/* SPDX-License-Identifier: MIT */

/*
 * The text of pool files: what is accepted, and where and how everything else is refused. The case of a
 * refused text gives the whole errors, one a line, as an operator reads them, with the file's name left out.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/fd.h"
#include "helpers/poolfile.h"
#include "config/settings.h"
#include "poolfile/dump.h"
#include "poolfile/errors.h"

static void test_empty(void **state _unused_)
{
        static const char *const texts[] = {
                "",     "\n", "# comment", "// comment", "/* a\nb */", "pm = {};", "pm = { } php : { }",
                "\t\f", "#",  "/**/",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                _cleanup_(config_freep) Config *c = parse(texts[i]);

                assert_default(c);
        }
}

/* One setting, what is written for it, and what --check shows then. */
static const struct {
        const char *key, *text, *shown;
} value_cases[] = {
        { "pm.mode", "\"static\"", "\"static\"" },
        { "pm.mode", "\"onde\" /* joined */ \"mand\"", "\"ondemand\"" },
        { "pm.max_children", "4096", "4096" },
        { "pm.max_children", "+007", "7" },
        { "pm.max_children", "9L", "9" },
        { "pm.max_requests", "4294967295", "4294967295" },
        { "pm.max_requests", "2147483648", "2147483648" },
        { "pm.max_requests", "4294967295L", "4294967295" },
        { "pm.max_requests", "4294967295LL", "4294967295" },
        { "pm.max_memory", "1125899906842624", "\"1024T\"" },
        { "pm.max_memory", "\"64M\"", "\"64M\"" },
        { "pm.max_memory", "\"64k\"", "\"64K\"" },
        { "pm.max_memory", "1000", "\"1000\"" },
        { "pm.process_idle_timeout", "90", "\"1min 30s\"" },
        { "pm.process_idle_timeout", "\"90\"", "\"1min 30s\"" },
        { "pm.process_idle_timeout", "\"1h 30min\"", "\"1h 30min\"" },
        { "pm.process_idle_timeout", "\"1.5s\"", "\"1s 500ms\"" },
        { "pm.process_idle_timeout", "31622400", "\"366d\"" },
        { "request.terminate_timeout", "\"2m\"", "\"2min\"" },
        { "request.terminate_timeout", "0", "\"0\"" },
        { "request.terminate_timeout_track_finished", "true", "true" },
        { "request.terminate_timeout_track_finished", "FALSE", "false" },
        { "ping.response", "\"a\\\"b\\\\c\\x41\\n\"", "\"a\\\"b\\\\cA\\n\"" },
        { "ping.response", "\"@include \\\"x\\\"\\n@include \\\"y\"",
          "\"@include \\\"x\\\"\\n@include \\\"y\"" },
        { "ping.response", "\"/* # // 99999999999\"", "\"/* # // 99999999999\"" },
        { "ping.response", "\"\"", "\"\"" },
        { "status.path", "\"\"", "\"\"" },
        { "security.limit_extensions", "[]", "[]" },
        { "security.limit_extensions", "()", "[]" },
        { "security.limit_extensions", "(\".a\", \".b\")", "[\".a\", \".b\"]" },
        { "security.limit_extensions", "[\".a\"\n\".b\"]", "[\".a.b\"]" },
        { "security.allowed_clients", "[\"10.0.0.0/8\", \"::1\"]", "[\"10.0.0.0/8\", \"::1\"]" },
        { "security.ini_params", "\"always\"", "\"always\"" },
        { "php.ini_scan_dir", "\":/etc/php\"", "\":/etc/php\"" },
        { "php.value", "[\"a='b=c'\", \"d=\"]", "[\"a='b=c'\", \"d=\"]" },
        { "idle_exit", "\"5min\"", "\"5min\"" },
        { "log_level", "\"err\"", "\"error\"" },
        { "log_level", "\"crit\"", "\"crit\"" },
        { "log_level", "\"alert\"", "\"alert\"" },
};

/* A file with this one setting. */
static char *one_setting(const char *key, const char *value)
{
        const char *dot = strchr(key, '.');
        int n = dot ? (int) (dot - key) : 0;
        char *text;

        if (!dot)
                assert_true(asprintf(&text, "%s = %s;", key, value) > 0);
        else
                assert_true(asprintf(&text, "%.*s = { %s = %s; };", n, key, dot + 1, value) > 0);
        return text;
}

static char *shown(const Config *config, const Setting *s)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        setting_write(s, config, f);
        fclose(f);
        return text;
}

static void test_values(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(value_cases); i++) {
                _cleanup_(freep) char *text = one_setting(value_cases[i].key, value_cases[i].text);
                _cleanup_(freep) char *value = NULL;
                _cleanup_(config_freep) Config *c = parse(text);

                value = shown(c, setting_find(value_cases[i].key));
                assert_string_equal(value, value_cases[i].shown);
        }
}

/* What --check shows can be written into a file. */
static void test_shown_defaults_parse(void **state _unused_)
{
        _cleanup_(config_freep) Config *defaults = NULL;

        assert_int_equal(config_new(&defaults), 0);
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                _cleanup_(freep) char *value = shown(defaults, &settings[i]);
                _cleanup_(freep) char *text = one_setting(settings[i].key, value);
                _cleanup_(config_freep) Config *c = parse(text);

                assert_default(c);
        }
}

#define CHILDREN "1: pm.max_children: must be a whole number from 1 to 4096, not "
#define REQUESTS "1: pm.max_requests: must be a whole number from 0 to 4294967295, not "
#define IDLE_EXIT "1: idle_exit: must be a time from 0 to 366d, such as 30, \"30s\" or \"5min\", not "
#define LINE "must be a line \"name=value\" without a space in the name, not "

static const struct {
        const char *text, *errors;
} refused_cases[] = {
        /* Types and ranges. */
        { "pm = { max_children = 0; };", CHILDREN "0" },
        { "pm = { max_children = 4097; };", CHILDREN "4097" },
        { "pm = { max_children = -1; };", CHILDREN "-1" },
        { "pm = { max_children = \"4\"; };", CHILDREN "\"4\"" },
        { "pm = { max_children = true; };", CHILDREN "true" },
        { "pm = { max_children = 4.0; };", CHILDREN "4" },
        { "pm = { max_children = 0x10; };", CHILDREN "hexadecimal 0x10" },
        { "pm = { max_children = [4]; };", CHILDREN "a list" },
        { "pm = { max_children = {}; };", CHILDREN "a group" },
        { "pm = { max_requests = 4294967297; };", REQUESTS "4294967297" },
        { "pm = { max_memory = \"64MB\"; };",
          "1: pm.max_memory: must be a size in bytes from 0 to 1024T, such as 1048576 or \"64M\", "
          "not \"64MB\"" },
        { "idle_exit = 9223372036854775807;", IDLE_EXIT "9223372036854775807" },
        { "idle_exit = \"367d\";", IDLE_EXIT "\"367d\"" },
        { "idle_exit = \"\";", IDLE_EXIT "\"\"" },
        { "request = { terminate_timeout_track_finished = 1; };",
          "1: request.terminate_timeout_track_finished: must be true or false, not 1" },
        { "pm = { mode = \"Static\"; };",
          "1: pm.mode: must be \"static\", \"dynamic\" or \"ondemand\", not \"Static\"" },
        { "pm = { mode = 1; };", "1: pm.mode: must be \"static\", \"dynamic\" or \"ondemand\", not 1" },
        { "log_level = \"loud\";",
          "1: log_level: must be \"emerg\", \"alert\", \"crit\", \"error\", \"warning\", \"notice\", "
          "\"info\" or \"debug\", not \"loud\"" },
        { "status = { path = \"x\"; };",
          "1: status.path: must be \"\" or a path that starts with \"/\", not \"x\"" },
        { "status = { path = 1; };",
          "1: status.path: must be \"\" or a path that starts with \"/\", not 1" },
        { "php = { value = \"a=b\"; };",
          "1: php.value: must be a list of strings, each a line \"name=value\" without a space in the name, "
          "not \"a=b\"" },
        { "php = {\nadmin_value = [ \"a=1\",\n\"sendmail_path=/usr/bin/msmtp --host=localhost -t\" ]; };",
          "3: php.admin_value[1]: is no line of an ini file: \"=\" cannot stand there; a value that has it "
          "stands "
          "in quotes" },
        { "php = { value = [\"a=it's\"]; };",
          "1: php.value[0]: is no line of an ini file: an apostrophe is not closed; write it in quotes" },
        { "php = { value = [\"a=on call\"]; };", "1: php.value[0]: is no line of an ini file: \"call\" "
                                                 "cannot stand there; a value that has it stands "
                                                 "in quotes" },
        { "php = { value = [\";a=b\"]; };",
          "1: php.value[0]: is no line of an ini file: its name is none that a setting of PHP can have" },
        { "php = { value = [1]; };", "1: php.value[0]: " LINE "1" },
        { "php = { value = ({}, [], \"=\"); };", "1: php.value[0]: " LINE "a group\n"
                                                 "1: php.value[1]: " LINE "a list\n"
                                                 "1: php.value[2]: " LINE "\"=\"" },
        { "access = { log = \"0123456789012345678901234567890123456789012345678901234567890123456789\"; };",
          "1: access.log: must be \"off\", \"journal\" or a file's absolute path, not "
          "\"0123456789012345678901234567890123456789012345678901234567890123…\"" },

        /* Names. */
        { "wibble = 1;", "1: wibble: unknown setting" },
        { "pm = { max_childern = 1; };",
          "1: pm.max_childern: unknown setting; did you mean pm.max_children?" },
        { "max_children = 1;", "1: max_children: unknown setting; did you mean pm.max_children?" },
        { "idle-exit = 1;", "1: idle-exit: unknown setting; did you mean idle_exit?" },
        { "requests = { };", "1: requests: unknown group; did you mean the group request?" },
        { "pm = { pm = { mode = 1; }; };", "1: pm.pm: unknown group" },
        { "pm = { status_path = \"/s\"; };",
          "1: pm.status_path: unknown setting; PHP-FPM's pm.status_path is status.path here" },
        { "request_terminate_timeout = \"1s\";",
          "1: request_terminate_timeout: unknown setting; PHP-FPM's request_terminate_timeout is "
          "request.terminate_timeout here" },
        { "user = \"www\"; group = \"www\";",
          "1: user: unknown setting; PHP-FPM's user is User= in php-pool@.service here\n"
          "1: group: unknown setting; PHP-FPM's group is Group= in php-pool@.service here" },
        { "pm = \"static\";", "1: pm: must be a group, { … }; PHP-FPM's pm is pm.mode here" },
        { "reload = 1;", "1: reload: must be a group, { … }" },

        /* Every error, in order, each with its line. */
        { "pm = {\n  mode = 1;\n  wibble = 2;\n};\n\nidle_exit = true;\n",
          "2: pm.mode: must be \"static\", \"dynamic\" or \"ondemand\", not 1\n"
          "3: pm.wibble: unknown setting\n"
          "6: idle_exit: must be a time from 0 to 366d, such as 30, \"30s\" or \"5min\", not true" },
        { "security = {\n limit_extensions = [\n  \".php\",\n  \"a\" \"b\" // \"c\"\n ,\n  \"d\"\n ]; };",
          "4: security.limit_extensions[1]: must be a name's ending that starts with \".\", not \"ab\"\n"
          "6: security.limit_extensions[2]: must be a name's ending that starts with \".\", not \"d\"" },

        /* Syntax. */
        { "\npm = { mode = \"static\"; mode = \"static\"; };", "2: duplicate setting name" },
        { "pm = {}; pm = {};", "1: duplicate setting name" },
        { "\npm = {\n\n", "2: syntax error" },
        { "idle_exit 5;", "1: syntax error" },
        { "idle_exit = 5min;",
          "1: syntax error; a value that is no plain number, true or false stands in quotes" },
        { "# x\nidle_exit = 5min\n\n\n",
          "2: syntax error; a value that is no plain number, true or false stands in quotes" },
        { "pm = { mode = static; };",
          "1: syntax error; a value that is no plain number, true or false stands in quotes" },
        { "pm.max_children = 5", "1: syntax error; write pm = { max_children = …; };" },
        { "pm = dynamic", "1: syntax error; write pm = { mode = …; };" },
        { "php_admin_value[memory_limit] = 1M", "1: syntax error; write php = { admin_value = …; };" },
        { "listen.mode = 0660",
          "1: syntax error; PHP-FPM's listen.mode is SocketMode= in php-pool@.socket here" },
        { "env[PATH] = /bin", "1: syntax error; PHP-FPM's env[] is Environment= in php-pool@.service here" },
        { "[www]", "1: syntax error; there are no sections: the file's name is the pool's" },
        { "; comment", "1: syntax error; a comment starts with # or //" },
        { "php = { value = [1, \"a\"]; };", "1: mismatched element type in array" },
        { "\n\"", "2: the string that starts here is not closed" },
        { "ping = { response = \"\\\"; };", "1: the string that starts here is not closed" },
        { "\n/* a\n", "2: the comment that starts here is not closed" },
        { "/*/", "1: the comment that starts here is not closed" },
        { "ping = { response =\n\"a\\\\\\x00\"; };", "2: a string cannot hold a zero byte" },
        { "@include \"a", "1: the path of this @include is not closed" },
        { "@include \"a\n\"", "1: the path of this @include is not closed" },
        { " @include \"/nonexistent/\\\"\"",
          "1: cannot include /nonexistent/\": No such file or directory" },
        { "pm = {};\n\t@include \t\"/\"", "2: cannot include /: Is a directory" },
        { "pm = {}; @include \"/\"", "1: syntax error" },
        { "@include\"/\"", "1: syntax error" },
};

static void test_refused(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(refused_cases); i++)
                assert_refused(refused_cases[i].text, refused_cases[i].errors);
}

/* libconfig 1.5 makes the greatest number that it has of it; 1.8 takes it for no number. */
static void test_number_too_large(void **state _unused_)
{
        static const char text[] = "pm = { max_requests = 99999999999999999999; };";
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(freep) char *why = NULL;
        Config *config = NULL;

        assert_int_equal(config_parse_string(NAME, text, &config, &errors), -EINVAL);
        assert_null(config);
        why = errors_text(&errors, NAME);
        if (!streq(why, REQUESTS "9223372036854775807") && !startswith(why, "1: syntax error"))
                fail_msg("%s", why);
}

/* libconfig drops \x00; a backslash before it makes it two other characters. */
static void test_zero_escape_is_not_there(void **state _unused_)
{
        _cleanup_(config_freep) Config *c = parse("ping = { response = \"\\\\x00\"; };");

        assert_string_equal(c->ping_response, "\\x00");
}

/* A list of n strings of this size with ".a" in front. */
static char *list_text(size_t n, size_t size)
{
        char *text = NULL;
        size_t text_size;
        FILE *f = open_memstream(&text, &text_size);

        assert_non_null(f);
        fputs("security = { limit_extensions = [", f);
        for (size_t i = 0; i < n; i++) {
                fputs(i > 0 ? ",\".a" : "\".a", f);
                for (size_t j = 2; j < size; j++)
                        fputc('x', f);
                fputc('"', f);
        }
        fputs("]; };", f);
        fclose(f);
        return text;
}

static void test_list_limits(void **state _unused_)
{
        _cleanup_(freep) char *most = list_text(CONFIG_LIST_MAX, 2);
        _cleanup_(freep) char *more = list_text(CONFIG_LIST_MAX + 1, 2);
        _cleanup_(freep) char *longest = list_text(1, CONFIG_STRING_MAX);
        _cleanup_(freep) char *longer = list_text(1, CONFIG_STRING_MAX + 1);
        _cleanup_(config_freep) Config *a = parse(most), *b = parse(longest);

        assert_string_equal(a->security_limit_extensions[CONFIG_LIST_MAX - 1], ".a");
        assert_null(a->security_limit_extensions[CONFIG_LIST_MAX]);
        assert_int_equal(strlen(b->security_limit_extensions[0]), CONFIG_STRING_MAX);

        assert_refused(more, "1: security.limit_extensions: has too many elements");
        assert_refused(longer,
                       "1: security.limit_extensions[0]: must be a name's ending that starts with \".\", "
                       "not more than 65536 bytes: "
                       "\".axxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\"");
}

/* The greatest file can always be sealed. */
static void test_greatest_file_seals(void **state _unused_)
{
        _cleanup_(freep) char *text = list_text(CONFIG_LIST_MAX, 1000);
        _cleanup_(config_freep) Config *c = parse(text);
        int fd = -EBADF;

        assert_int_equal(config_seal(c, &fd), 0);
        fd_close(fd);
}

static void test_too_large(void **state _unused_)
{
        _cleanup_(freep) char *text = malloc(1024 * 1024 + 2);

        assert_non_null(text);
        memset(text, '\n', 1024 * 1024 + 1);
        text[1024 * 1024 + 1] = 0;
        assert_refused(text, "1048577: the file and what it includes are larger than 1M");
}

static void test_many_errors(void **state _unused_)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(freep) char *text = NULL;
        Config *config = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < CONFIG_ERRORS_MAX + 10; i++)
                fprintf(f, "x%zu = 1;\n", i);
        fclose(f);

        assert_int_equal(config_parse_string(NAME, text, &config, &errors), -EINVAL);
        assert_int_equal(errors.n, CONFIG_ERRORS_MAX);
        assert_string_equal(errors.items[CONFIG_ERRORS_MAX - 1].text,
                            "too many errors, further ones are not shown");

        /* Also when there is no room for the only error of a second file. */
        assert_int_equal(config_parse_string(NAME, "x = 1;", &config, &errors), -EINVAL);
        assert_int_equal(errors.n, CONFIG_ERRORS_MAX);
        assert_null(config);
}

static void test_error_format(void **state _unused_)
{
        const struct {
                ConfigError error;
                const char *text;
        } cases[] = {
                { { (char *) "f", 3, (char *) "k", (char *) "t" }, "f:3: k: t" },
                { { (char *) "f", 3, NULL, (char *) "t" }, "f:3: t" },
                { { (char *) "f", 0, NULL, (char *) "t" }, "f: t" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *text = NULL;

                assert_int_equal(config_error_format(&cases[i].error, &text), 0);
                assert_string_equal(text, cases[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_empty),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_shown_defaults_parse),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_number_too_large),
                cmocka_unit_test(test_zero_escape_is_not_there),
                cmocka_unit_test(test_list_limits),
                cmocka_unit_test(test_greatest_file_seals),
                cmocka_unit_test(test_too_large),
                cmocka_unit_test(test_many_errors),
                cmocka_unit_test(test_error_format),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
