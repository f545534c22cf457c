/* SPDX-License-Identifier: MIT */

/*
 * Pool files as files: ones that cannot be read, includes and the lines that errors name in them, and the
 * file that is installed ($PHP_POOL_SOURCE_ROOT says where it is).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "helpers/directory.h"
#include "helpers/poolfile.h"
#include "config/settings.h"

static int set_up(void **state)
{
        Directory *d = malloc(sizeof *d);

        assert_non_null(d);
        directory_make(d);
        *state = d;
        return 0;
}

static int tear_down(void **state)
{
        directory_remove(*state);
        free(*state);
        return 0;
}

/* Reads pool.conf; errors come with the directory left out. */
static int parse_files(const Directory *files, Config **ret, char **ret_errors)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(freep) char *path = directory_path(files, NAME);
        int r = config_parse_file(path, ret, &errors);

        assert_int_equal(r<0, errors.n> 0);
        *ret_errors = errors_text(&errors, files->path);
        return r;
}

static void assert_files_refused(const Directory *files, const char *expected)
{
        _cleanup_(freep) char *errors = NULL;
        Config *config = NULL;

        assert_int_equal(parse_files(files, &config, &errors), -EINVAL);
        assert_null(config);
        assert_string_equal(errors, expected);
}

static void test_file(void **state)
{
        _cleanup_(config_freep) Config *c = NULL;
        _cleanup_(freep) char *errors = NULL;

        directory_write_text(*state, NAME, "pm = { max_children = 7; }; # no end of line");
        assert_int_equal(parse_files(*state, &c, &errors), 0);
        assert_int_equal(c->pm_max_children, 7);
}

static void test_no_file(void **state)
{
        _cleanup_(freep) char *path = directory_path(*state, NAME);

        assert_files_refused(*state,
                             "pool.conf: cannot be read: No such file or directory; an empty file is "
                             "a pool with the defaults");
        assert_int_equal(mkdir(path, 0700), 0);
        assert_files_refused(*state, "pool.conf: cannot be read: Is a directory");
        assert_int_equal(rmdir(path), 0);

        /* Nobody will ever write into it. */
        assert_int_equal(mkfifo(path, 0600), 0);
        assert_files_refused(*state, "pool.conf: cannot be read: Illegal seek");
}

static void test_zero_byte(void **state)
{
        static const char data[] = "# a\n\npm = {};\0 };\n";

        directory_write(*state, NAME, data, sizeof data - 1);
        assert_files_refused(*state, "pool.conf:3: the file holds a zero byte");
}

static void test_include(void **state)
{
        const Directory *files = *state;
        _cleanup_(config_freep) Config *c = NULL;
        _cleanup_(freep) char *errors = NULL, *directory = directory_path(files, "d"), *text = NULL;

        assert_int_equal(mkdir(directory, 0700), 0);
        directory_write_text(files, "d/children", "max_children = 9; # no end of line");
        directory_write_text(files, "d/empty", "");
        directory_write_text(files, "d/nested.inc", "@include \"children\"\n");
        assert_true(asprintf(&text,
                             "pm = {\n  @include \"d/nested.inc\" mode = \"static\";\n@include "
                             "\"%s/d/empty\"\n"
                             "}; idle_exit = 3;",
                             files->path) > 0);
        directory_write_text(files, NAME, text);

        if (parse_files(files, &c, &errors) != 0)
                fail_msg("%s", errors);
        assert_int_equal(c->pm_max_children, 9);
        assert_int_equal(c->pm_mode, PM_STATIC);
        assert_int_equal(c->idle_exit, 3 * USEC_PER_SEC);
}

/* Each error names the file and the line where it stands, before, in and behind an include. */
static void test_include_lines(void **state)
{
        directory_write_text(*state, "a.inc", "\na1 = 1;\n@include \"b.inc\"\na2 = 2;");
        directory_write_text(*state, "b.inc", "php = { value = [\n\"b=1\",\n\"b\"\n]; };\n");
        directory_write_text(*state, NAME, "p1 = 1;\n\n@include \"a.inc\" p2 = 2;\np3 = 3;\n");
        assert_files_refused(*state, "pool.conf:1: p1: unknown setting\n"
                                     "a.inc:2: a1: unknown setting\n"
                                     "b.inc:3: php.value[1]: must be a line \"name=value\" without a space "
                                     "in the name, not "
                                     "\"b\"\n"
                                     "a.inc:4: a2: unknown setting\n"
                                     "pool.conf:3: p2: unknown setting\n"
                                     "pool.conf:4: p3: unknown setting");

        directory_write_text(*state, "b.inc", "\nx = = 1;\n");
        assert_files_refused(*state, "b.inc:2: syntax error");
        directory_write_text(*state, "b.inc", "x = \"");
        assert_files_refused(*state, "b.inc:1: the string that starts here is not closed");
        directory_write_text(*state, "b.inc", "@include \"c.inc\"");
        {
                const Directory *files = *state;
                _cleanup_(freep) char *expected = NULL;

                assert_true(asprintf(&expected,
                                     "b.inc:1: cannot include %s/c.inc: No such file or directory",
                                     files->path) > 0);
                assert_files_refused(*state, expected);
        }
}

/* What stands behind an include on its line is again the start of a line for libconfig. */
static void test_include_twice_on_a_line(void **state)
{
        _cleanup_(config_freep) Config *c = NULL;
        _cleanup_(freep) char *errors = NULL;

        directory_write_text(*state, "a.inc", "idle_exit = 1;\n");
        directory_write_text(*state, "b.inc", "watchdog_stall = 2;\n");
        directory_write_text(*state, NAME, "@include \"a.inc\" @include \"b.inc\"\n");
        assert_int_equal(parse_files(*state, &c, &errors), 0);
        assert_int_equal(c->watchdog_stall, 2 * USEC_PER_SEC);
}

static void test_include_limits(void **state)
{
        char text[64 * 32] = "", name[16], line[32];

        directory_write_text(*state, NAME, "\n@include \"pool.conf\"\n");
        assert_files_refused(*state, "pool.conf:2: files include each other too deep, or in a circle");

        directory_write_text(*state, "a", "");
        for (int i = 0; i < 64; i++)
                strcat(text, "@include \"a\"\n");
        directory_write_text(*state, NAME, text);
        assert_files_refused(*state, "pool.conf:64: too many files are included");

        /* Ten below the first. */
        for (int i = 0; i < 10; i++) {
                (void) snprintf(line, sizeof line, "@include \"f%d\"\n", i);
                (void) snprintf(name, sizeof name, "f%d", i - 1);
                directory_write_text(*state, i > 0 ? name : NAME, line);
        }
        directory_write_text(*state, "f9", "x = 1;");
        assert_files_refused(*state, "f9:1: x: unknown setting");
}

/* Turns the comments of the installed file that show settings into settings. */
static char *uncomment(const char *text)
{
        char *result = NULL;
        size_t size;
        FILE *f = open_memstream(&result, &size);

        assert_non_null(f);
        for (const char *line = text; *line; line += strcspn(line, "\n") + 1) {
                const char *p = line;

                /* "# text" is a comment, "#text" and "#        text" are settings. */
                if (p[0] == '#' && (p[1] != ' ' || p[2] == ' '))
                        p++;
                fwrite(p, 1, strcspn(p, "\n"), f);
                fputc('\n', f);
        }
        fclose(f);
        return result;
}

/* The installed file parses, and what it shows is every setting with its default. */
static void test_installed_file(void **state _unused_)
{
        const char *root = getenv("PHP_POOL_SOURCE_ROOT");
        _cleanup_(freep) char *path = NULL, *text = NULL;
        _cleanup_(config_freep) Config *plain = NULL, *c = NULL;
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) void *data = NULL;

        assert_true(asprintf(&path, "%s/conf.d/www.conf", root ? root : ".") > 0);
        assert_int_equal(config_parse_file(path, &plain, &errors), 0);
        assert_default(plain);

        fd = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        assert_int_equal(io_read_file(fd, SIZE_MAX, &data, NULL), 0);
        assert_non_null(data);
        text = uncomment(data);
        c = parse(text);
        assert_default(c);

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                const char *dot = strrchr(settings[i].key, '.');
                _cleanup_(freep) char *assignment = NULL;

                assert_true(asprintf(&assignment, "%s = ", dot ? dot + 1 : settings[i].key) > 0);
                if (!strstr(text, assignment))
                        fail_msg("%s does not show %s", path, settings[i].key);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_file, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_no_file, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_zero_byte, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_include, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_include_lines, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_include_twice_on_a_line, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_include_limits, set_up, tear_down),
                cmocka_unit_test(test_installed_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
