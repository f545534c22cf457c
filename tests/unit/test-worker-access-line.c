/* SPDX-License-Identifier: MIT */

/* What each code of access.format becomes, and which requests access.suppress_path keeps out. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <time.h>

#include "helpers/text.h"
#include "worker/serve/access-line.h"

static char line[ACCESS_LINE_MAX];
static bool seen[_ACCESS_CODE_MAX];

static Params *new_params(const char *const *vars)
{
        Params *params;

        assert_int_equal(params_new(&params), 0);
        for (; *vars; vars++)
                set_variable(params, *vars);
        return params;
}

static const char *format_line(const char *text, const AccessEntry *entry)
{
        _cleanup_(freep) AccessFormat *format = NULL;
        char error[ACCESS_ERROR_MAX] = "";
        size_t size;

        if (access_format_parse(text, error, &format) < 0)
                fail_msg("%s: %s", text, error);
        size = access_line(format, entry, line);
        assert_int_equal(size, strlen(line));
        for (size_t i = 0; i < format->n_pieces; i++)
                seen[format->pieces[i].code] = true;
        return line;
}

/* The request of an ordinary day, and one of which nothing is known. */
static const struct {
        const char *format, *full, *bare;
} cases[] = {
        { "100%% \"{}\"", "100% \"{}\"", "100% \"{}\"" },
        { "%C", "75.00", "0.00" },
        { "%{user}C", "50.00", "0.00" },
        { "%{system}C", "25.00", "0.00" },
        { "%d", "0.120", "0.000" },
        { "%{milli}d", "120.005", "0.000" },
        { "%{micro}d", "120005", "0" },
        { "%{REMOTE_ADDR}e", "192.0.2.1", "-" },
        { "%{EMPTY}e", "", "-" },
        { "%f", "/srv/a.php", "-" },
        { "%l", "42", "0" },
        { "%m", "POST", "-" },
        { "%M", "3145729", "0" },
        { "%{kilo}M", "3072", "0" },
        { "%{mega}M", "3", "0" },
        { "%n", "www", "www" },
        { "%{X-Foo}o", "bar", "-" },
        { "%{X-Bar}o", "-", "-" },
        { "%p", "23", "23" },
        { "%P", "5", "5" },
        { "%q", "a=1&b=%20", "" },
        { "%Q", "?", "" },
        { "%r", "/a.php", "" },
        { "%R", "192.0.2.7", "-" },
        { "%s", "404", "200" },
        { "%t", "22/Nov/2026:04:51:49 +0000", "01/Jan/1970:00:00:00 +0000" },
        { "%{%H:%M}t", "04:51", "00:00" },
        { "%T", "22/Nov/2026:04:51:50 +0000", "01/Jan/1970:00:00:00 +0000" },
        { "%{%s}T", "1795323110", "0" },
        { "%{%Z%%}t", "UTC%", "UTC%" },
        { "%u", "joe", "" },
        { "%R - %u %t \"%m %r%Q%q\" %s",
          "192.0.2.7 - joe 22/Nov/2026:04:51:49 +0000 \"POST /a.php?a=1&b=%20\" 404",
          "- -  01/Jan/1970:00:00:00 +0000 \"- \" 200" },
};

static void test_codes(void **state _unused_)
{
        Params *params = new_params((const char *[]) {
                "REMOTE_ADDR=192.0.2.1", "EMPTY=", "CONTENT_LENGTH=42", "REQUEST_METHOD=POST",
                "QUERY_STRING=a=1&b=%20", NULL });
        Params *none = new_params((const char *[]) { NULL });
        RequestHeader headers[] = { { "X-Foo", "bar" }, { "X-Bar", "" } };
        Request request = {
                .params = params, .script = "/srv/a.php", .name = "/a.php", .user = "joe",
                .wanted = headers, .n_wanted = ELEMENTSOF(headers),
        };
        Request nothing = { .params = none };
        const AccessEntry full = {
                .pool = "www", .pid = 23, .parent = 5, .request = &request, .peer = "192.0.2.7",
                .status = 404, .memory = 3145729, .started = 1795323109 * USEC_PER_SEC + 900000,
                .duration = 120005, .cpu_user = 60003, .cpu_system = 30001,
        };
        const AccessEntry bare = {
                .pool = "www", .pid = 23, .parent = 5, .request = &nothing, .status = 200,
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_string_equal(format_line(cases[i].format, &full), cases[i].full);
                assert_string_equal(format_line(cases[i].format, &bare), cases[i].bare);
        }
        for (AccessCode code = 0; code < _ACCESS_CODE_MAX; code++)
                if (!seen[code] && code != ACCESS_PERCENT) /* which is text */
                        fail_msg("code %d has no case", code);
        params_free(params);
        params_free(none);
}

/* No client writes a line of its own, or ends a field. */
static void test_forged(void **state _unused_)
{
        Params *params = new_params((const char *[]) { "QUERY_STRING=\x1b[2J\"\x7f\xc3\xa4", NULL });
        RequestHeader header = { "X", "a\tb\xc2\x9b" "c\xe9" };
        Request request = {
                .params = params, .script = "/srv/\\.php", .name = "/\n127.0.0.1 \"GET", .user = "a\rb",
                .wanted = &header, .n_wanted = 1,
        };
        const AccessEntry e = { .pool = "www", .request = &request };

        assert_string_equal(format_line("\"%r\" %q %f %u %{X}o", &e),
                            "\"/\\x0A127.0.0.1 \\x22GET\" \\x1B[2J\\x22\\x7F\xc3\xa4 "
                            "/srv/\\x5C.php a\\x0Db a\\x09b\\xC2\\x9Bc\\xE9");
        params_free(params);
}

static void test_cut(void **state _unused_)
{
        static char uri[ACCESS_LINE_MAX + 100];
        Params *params = new_params((const char *[]) { NULL });
        Request request = { .params = params, .name = uri };
        const AccessEntry e = { .pool = "www", .request = &request };

        memset(uri, 'x', sizeof uri - 1);
        assert_int_equal(strlen(format_line("%r %s", &e)), ACCESS_LINE_MAX - 1);
        memset(uri, '\n', sizeof uri - 1);
        assert_int_equal(strlen(format_line("%r %s", &e)), ACCESS_LINE_MAX - 1);
        params_free(params);
}

static const struct {
        const char *name, *method, *query, *length;
        int status;
        bool suppressed;
} suppress_cases[] = {
        { "/health", "GET", NULL, NULL, 200, true },
        { "/health", "HEAD", "", "", 299, true },
        { "/health", "GET", NULL, "0", 204, true },
        { "/health", "GET", NULL, "3", 200, false },
        { "/health", "GET", "a", NULL, 200, false },
        { "/health", "POST", NULL, NULL, 200, false },
        { "/health", NULL, NULL, NULL, 200, false },
        { "/health", "GET", NULL, NULL, 199, false },
        { "/health", "GET", NULL, NULL, 300, false },
        { "/health", "GET", NULL, NULL, 503, false },
        { "/health/", "GET", NULL, NULL, 200, false },
        { "/ready", "GET", NULL, NULL, 200, true },
        { NULL, "GET", NULL, NULL, 200, false },
};

static void test_suppressed(void **state _unused_)
{
        char *paths[] = { (char *) "/health", (char *) "/ready", NULL }, *none[] = { NULL };

        for (size_t i = 0; i < ELEMENTSOF(suppress_cases); i++) {
                Params *params = new_params((const char *[]) { NULL });
                Request request = { .params = params, .name = suppress_cases[i].name };
                const struct {
                        const char *name, *value;
                } vars[] = {
                        { "REQUEST_METHOD", suppress_cases[i].method },
                        { "QUERY_STRING", suppress_cases[i].query },
                        { "CONTENT_LENGTH", suppress_cases[i].length },
                };

                for (size_t j = 0; j < ELEMENTSOF(vars); j++)
                        if (vars[j].value)
                                set_param(params, vars[j].name, vars[j].value);
                if (access_suppressed(paths, &request, suppress_cases[i].status) !=
                    suppress_cases[i].suppressed)
                        fail_msg("case %zu", i);
                assert_false(access_suppressed(none, &request, suppress_cases[i].status));
                params_free(params);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_codes),
                cmocka_unit_test(test_forged),
                cmocka_unit_test(test_cut),
                cmocka_unit_test(test_suppressed),
        };

        assert(setenv("TZ", "UTC", true) == 0);
        tzset();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
