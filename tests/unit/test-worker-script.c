/* SPDX-License-Identifier: MIT */

/*
 * Which script a request means: a table of what web servers send, and of what PHP-FPM makes of it, 8.2
 * unless a case says otherwise: every expected value was compared with it. Parameters that a case does not
 * name as changed must stay as they were.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "helpers/text.h"
#include "worker/request/script.h"

#define VARS_MAX 12

/* Rules other than fix_pathinfo=1 alone. */
typedef enum Rules {
        FIXED,
        RAW,     /* cgi.fix_pathinfo=0 */
        DISCARD, /* and cgi.discard_path=1 */
        ROOTED,  /* doc_root=/root */
        INFO,    /* what Apache's proxy sends is decoded as 8.4 does it */
        WHOLE,   /* and as 8.5 does with fastcgi.script_path_encoded=0 */
} Rules;

typedef struct Case {
        const char *name;
        const char *in[VARS_MAX];  /* "NAME=value" */
        const char *path, *uri;    /* NULL: none */
        const char *out[VARS_MAX]; /* "NAME=value" that is new or changed, "!NAME" that is gone */
        Rules rules;
} Case;

#define PROXY "proxy:fcgi://localhost:9000"

/* clang-format off */
static const Case cases[] = {
        /* nginx */
        { .name = "plain",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php", "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php" },
        { .name = "empty path info",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php", "PATH_INFO=" },
          .path = "/www/a.php", .uri = "/a.php" },
        { .name = "split by the server",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php", "PATH_INFO=/x" },
          .path = "/www/a.php", .uri = "/a.php" },
        { .name = "info in the file name, and as such",
          .in = { "SCRIPT_FILENAME=/www/a.php/x/y", "SCRIPT_NAME=/a.php", "PATH_INFO=/x/y",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x/y",
                    "PATH_TRANSLATED=/www/x/y" } },
        { .name = "info and name in PATH_INFO",
          .in = { "SCRIPT_FILENAME=/www/a.php/x", "SCRIPT_NAME=/a.php", "PATH_INFO=/a.php/x",
                   "DOCUMENT_ROOT=/www/" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x", "PATH_INFO=/x",
                    "ORIG_PATH_INFO=/a.php/x", "PATH_TRANSLATED=/www/x" } },
        { .name = "PATH_INFO longer than the tail, another name",
          .in = { "SCRIPT_FILENAME=/www/a.php/x", "SCRIPT_NAME=/b", "PATH_INFO=/a.php/x",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x", "SCRIPT_NAME=/a.php",
                    "ORIG_SCRIPT_NAME=/b", "PATH_INFO=/x", "ORIG_PATH_INFO=/a.php/x",
                    "PATH_TRANSLATED=/www/x" } },
        { .name = "info nobody sent is not made up",
          .in = { "SCRIPT_FILENAME=/www/a.php/x", "SCRIPT_NAME=/a.php", "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x",
                    "PATH_TRANSLATED=/www" } },
        { .name = "no document root: the file less the name",
          .in = { "SCRIPT_FILENAME=/www/a.php/x", "SCRIPT_NAME=/a.php", "PATH_INFO=/x" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x",
                    "PATH_TRANSLATED=/www/x" } },
        { .name = "trailing slash",
          .in = { "SCRIPT_FILENAME=/www/a.php/", "SCRIPT_NAME=/a.php/" },
          .path = "/www/a.php", .uri = "/a.php/",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/" } },
        { .name = "CVE-2019-11043: a newline empties PATH_INFO",
          .in = { "SCRIPT_FILENAME=/www/a.php/PHP\nis_the_shittiest_lang.php",
                   "SCRIPT_NAME=/a.php/PHP\nis_the_shittiest_lang.php", "PATH_INFO=" },
          .path = "/www/a.php", .uri = "/a.php/PHP\nis_the_shittiest_lang.php",
          .out = { "SCRIPT_FILENAME=/www/a.php",
                    "ORIG_SCRIPT_FILENAME=/www/a.php/PHP\nis_the_shittiest_lang.php" } },

        /* Not there, or not to be had */
        { .name = "missing",
          .in = { "SCRIPT_FILENAME=/www/none.php", "SCRIPT_NAME=/none.php" },
          .path = NULL, .uri = "/none.php" },
        { .name = "missing with info",
          .in = { "SCRIPT_FILENAME=/www/none.php/x", "SCRIPT_NAME=/none.php" },
          .path = NULL, .uri = "/none.php" },
        { .name = "a directory is found, to be refused",
          .in = { "SCRIPT_FILENAME=/www/dir", "SCRIPT_NAME=/dir" },
          .path = "/www/dir", .uri = "/dir" },
        { .name = "but not with a slash",
          .in = { "SCRIPT_FILENAME=/www/dir/", "SCRIPT_NAME=/dir/" },
          .path = NULL, .uri = "/dir/" },
        { .name = "dots",
          .in = { "SCRIPT_FILENAME=/www/dir/../a.php", "SCRIPT_NAME=/a.php" },
          .path = NULL, .uri = "/a.php" },
        { .name = "three dots are a name",
          .in = { "SCRIPT_FILENAME=/www/.../a.php", "SCRIPT_NAME=/a.php" },
          .path = "/www/.../a.php", .uri = "/a.php" },
        { .name = "no script at all",
          .in = { "SCRIPT_NAME=/a.php" },
          .path = NULL, .uri = NULL },
        { .name = "empty",
          .in = { "SCRIPT_FILENAME=", "SCRIPT_NAME=/a.php" },
          .path = "", .uri = "/a.php" },
        { .name = "relative",
          .in = { "SCRIPT_FILENAME=a.php/x" },
          .path = "a.php", .uri = NULL,
          .out = { "SCRIPT_FILENAME=a.php", "ORIG_SCRIPT_FILENAME=a.php/x" } },

        /* Apache's proxy */
        { .name = "proxy",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php" } },
        { .name = "balancer, any case",
          .in = { "SCRIPT_FILENAME=Proxy:Balancer://b/www/a.php", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php" } },
        { .name = "proxy with query",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php?q=/x", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php" } },
        { .name = "proxy, no path",
          .in = { "SCRIPT_FILENAME=proxy:fcgi://host?q", "SCRIPT_NAME=/a.php" },
          .path = NULL, .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=proxy:fcgi://host" } },
        { .name = "proxy: info from the tail, cut off the name",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x", "SCRIPT_NAME=/a.php/x", "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x", "PATH_INFO=/x",
                    "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x", "PATH_TRANSLATED=/www/x" } },
        { .name = "proxy: escaped in both",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x%20y", "SCRIPT_NAME=/a.php/x%20y",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x%20y",
                    "PATH_INFO=/x%20y", "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x%20y",
                    "PATH_TRANSLATED=/www/x%20y" } },
        { .name = "proxy: escaped, decoded in the name",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x%20y", "SCRIPT_NAME=/a.php/x y",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x%20y",
                    "PATH_INFO=/x%20y", "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x y",
                    "PATH_TRANSLATED=/www/x%20y" } },
        { .name = "proxy, 8.4: escaped in both", .rules = INFO,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x%20y", "SCRIPT_NAME=/a.php/x%20y",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x%20y",
                    "PATH_INFO=/x y", "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x%20y",
                    "PATH_TRANSLATED=/www/x y" } },
        { .name = "proxy, 8.4: escaped, decoded in the name", .rules = INFO,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x%20y%2", "SCRIPT_NAME=/a.php/x y%2",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x%20y%2",
                    "PATH_INFO=/x y%2", "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x y%2",
                    "PATH_TRANSLATED=/www/x y%2" } },
        { .name = "proxy, 8.4: a name without the info", .rules = INFO,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/%41", "SCRIPT_NAME=/b.php" },
          .path = "/www/a.php", .uri = "/b.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/%41", "PATH_INFO=/A" } },
        { .name = "proxy, 8.4: no name", .rules = INFO,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/%41" },
          .path = "/www/a.php", .uri = NULL,
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/%41", "PATH_INFO=/%41" } },
        { .name = "proxy, 8.4: a zero byte", .rules = INFO,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x%00y", "SCRIPT_NAME=/a.php/x",
                  "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php/x",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x%00y", "PATH_INFO=/x",
                    "PATH_TRANSLATED=/www/x" } },
        { .name = "proxy, 8.4: the script's own name is as it was sent", .rules = INFO,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/%61.php", "SCRIPT_NAME=/a.php" },
          .path = NULL, .uri = "/a.php", .out = { "SCRIPT_FILENAME=/www/%61.php" } },
        { .name = "proxy, 8.5: all of it", .rules = WHOLE,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/%61.php/x%20y?q=%41", "SCRIPT_NAME=/a.php/x y",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x y",
                    "PATH_INFO=/x y", "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x y",
                    "PATH_TRANSLATED=/www/x y" } },
        { .name = "proxy, 8.5: once", .rules = WHOLE,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x%2520", "SCRIPT_NAME=/a.php/x%20" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x%20", "PATH_INFO=/x%20",
                    "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/a.php/x%20", "PATH_TRANSLATED=/www/x%20" } },
        { .name = "proxy, 8.5: no way up", .rules = WHOLE,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/dir/%2e%2e/a.php", "SCRIPT_NAME=/a.php" },
          .path = NULL, .uri = "/a.php", .out = { "SCRIPT_FILENAME=/www/dir/../a.php" } },
        { .name = "proxy, 8.5: a zero byte ends it", .rules = WHOLE,
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php%00.txt", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php", .uri = "/a.php", .out = { "SCRIPT_FILENAME=/www/a.php" } },
        { .name = "no proxy, 8.5", .rules = WHOLE,
          .in = { "SCRIPT_FILENAME=/www/%61.php", "SCRIPT_NAME=/a.php" },
          .path = NULL, .uri = "/a.php" },
        { .name = "proxy: a name without the info",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x", "SCRIPT_NAME=/a.php", "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x", "PATH_INFO=/x",
                    "PATH_TRANSLATED=/www/x" } },
        { .name = "proxy: info sent as well",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php/x", "SCRIPT_NAME=/a.php", "PATH_INFO=/x",
                   "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/www/a.php/x",
                    "PATH_TRANSLATED=/www/x" } },
        { .name = "proxy: REDIRECT_URL is not mod_fastcgi's",
          .in = { "SCRIPT_FILENAME=" PROXY "/www/a.php", "SCRIPT_NAME=/a.php", "PATH_TRANSLATED=/www/none",
                   "REDIRECT_URL=/r", "PATH_INFO=/x" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php" } },

        /* mod_fastcgi, Action: the CGI binary as script */
        { .name = "action",
          .in = { "SCRIPT_FILENAME=/usr/bin/php-cgi", "SCRIPT_NAME=/cgi", "PATH_TRANSLATED=/www/a.php",
                   "PATH_INFO=/a.php", "REDIRECT_URL=/a.php" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/usr/bin/php-cgi",
                    "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/cgi", "!PATH_INFO", "ORIG_PATH_INFO=/a.php",
                    "!PATH_TRANSLATED", "ORIG_PATH_TRANSLATED=/www/a.php" } },
        { .name = "action with info",
          .in = { "SCRIPT_FILENAME=/usr/bin/php-cgi", "SCRIPT_NAME=/cgi", "PATH_TRANSLATED=/www/a.php/x",
                   "PATH_INFO=/a.php/x", "REDIRECT_URL=/a.php/x", "DOCUMENT_ROOT=/www" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php", "ORIG_SCRIPT_FILENAME=/usr/bin/php-cgi",
                    "SCRIPT_NAME=/a.php", "ORIG_SCRIPT_NAME=/cgi", "PATH_INFO=/x",
                    "ORIG_PATH_INFO=/a.php/x", "PATH_TRANSLATED=/www/x",
                    "ORIG_PATH_TRANSLATED=/www/a.php/x" } },
        { .name = "PATH_TRANSLATED alone",
          .in = { "PATH_TRANSLATED=/www/a.php", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "SCRIPT_FILENAME=/www/a.php" } },

        /* IIS */
        { .name = "IIS",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php", "PATH_INFO=/a.php/x",
                   "SERVER_SOFTWARE=Microsoft-IIS/7" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "PATH_INFO=/x", "ORIG_PATH_INFO=/a.php/x" } },
        { .name = "IIS without info",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php", "PATH_INFO=/a.php",
                   "SERVER_SOFTWARE=Microsoft-IIS/7" },
          .path = "/www/a.php", .uri = "/a.php",
          .out = { "!PATH_INFO", "ORIG_PATH_INFO=/a.php" } },

        /* php.ini */
        { .name = "raw: nothing is touched",
          .in = { "SCRIPT_FILENAME=/www/a.php/x", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php/x", .uri = "/a.php", .rules = RAW },
        { .name = "raw: PATH_INFO is the name",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php", "PATH_INFO=/x" },
          .path = "/www/a.php", .uri = "/x", .rules = RAW },
        { .name = "raw: PATH_TRANSLATED goes first",
          .in = { "SCRIPT_FILENAME=/usr/bin/php-cgi", "PATH_TRANSLATED=/www/a.php" },
          .path = "/www/a.php", .uri = NULL, .rules = RAW },
        { .name = "discard_path",
          .in = { "SCRIPT_FILENAME=/www/a.php", "PATH_TRANSLATED=/www/none" },
          .path = "/www/a.php", .uri = NULL, .rules = DISCARD },
        { .name = "doc_root",
          .in = { "SCRIPT_FILENAME=/www/a.php", "SCRIPT_NAME=/a.php" },
          .path = "/www/a.php", .uri = "/a.php", .rules = ROOTED,
          .out = { "DOCUMENT_ROOT=/root" } },
};
/* clang-format on */

static bool is_regular(const char *path)
{
        static const char *const files[] = { "/www/a.php", "/www/.../a.php", "/usr/bin/php-cgi", "a.php" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                if (streq(path, files[i]))
                        return true;
        return false;
}

static bool exists(const char *path)
{
        return is_regular(path) || streq(path, "/www/dir") || streq(path, "/www/dir/../a.php");
}

static const ScriptFiles files = { .exists = exists, .is_regular = is_regular };

static void set_all(Params *params, const char *const variables[VARS_MAX])
{
        for (size_t i = 0; i < VARS_MAX && variables[i]; i++)
                set_variable(params, variables[i]);
}

static void assert_same_string(const char *a, const char *b)
{
        assert_true(!a == !b);
        if (a)
                assert_string_equal(a, b);
}

static void run_case(const Case *c)
{
        _cleanup_(params_freep) Params *params = NULL, *expected = NULL;
        const ScriptRules rules = {
                .fix_pathinfo = c->rules != RAW && c->rules != DISCARD,
                .decoding = c->rules == INFO    ? PROXY_DECODES_INFO
                            : c->rules == WHOLE ? PROXY_DECODES_WHOLE
                                                : PROXY_DECODES_NAME,
                .discard_path = c->rules == DISCARD,
                .doc_root = c->rules == ROOTED ? "/root" : NULL,
        };
        Script script;

        assert_int_equal(params_new(&params), 0);
        assert_int_equal(params_new(&expected), 0);
        set_all(params, c->in);
        set_all(expected, c->in);
        set_all(expected, c->out);

        assert_int_equal(script_find(params, &rules, &files, &script), 0);
        assert_same_string(script.path, c->path);
        assert_same_string(script.uri, c->uri);
        assert_int_equal(params_count(params), params_count(expected));
        for (size_t i = 0; i < params_count(expected); i++) {
                const Param *p = params_at(expected, i);

                assert_same_string(params_get(params, p->name, NULL), p->value);
        }
}

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                print_message("%s\n", cases[i].name);
                run_case(&cases[i]);
        }
}

/* A path of many parts, longer than any file's, costs no more than one that fits. */
static void test_long_path(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = NULL;
        static char path[500 * 1024];
        const ScriptRules rules = { .fix_pathinfo = true };
        Script script;

        memset(path, '/', sizeof path - 1);
        memcpy(path, "/www/a.php", 10);
        assert_int_equal(params_new(&params), 0);
        assert_int_equal(params_set(params, "SCRIPT_FILENAME", 15, path, sizeof path - 1), 0);
        assert_int_equal(script_find(params, &rules, &files, &script), 0);
        assert_string_equal(script.path, "/www/a.php");
}

static void test_too_many_parameters(void **state _unused_)
{
        _cleanup_(params_freep) Params *params = NULL;
        const ScriptRules rules = { .fix_pathinfo = true };
        char name[16];
        Script script;

        assert_int_equal(params_new(&params), 0);
        for (size_t i = 0; i < PARAMS_COUNT_MAX - 1; i++)
                assert_int_equal(
                        params_set(params, name, (size_t) snprintf(name, sizeof name, "N%zu", i), "", 0), 0);
        set_variable(params, "SCRIPT_FILENAME=/www/a.php/x");
        assert_int_equal(script_find(params, &rules, &files, &script), -E2BIG);
}

static void test_below(void **state _unused_)
{
        static const struct {
                const char *path, *directory;
                bool below;
        } below_cases[] = {
                { "/srv/site/a.php", "/srv/site", true },
                { "/srv/site/a/b.php", "/srv/site", true },
                { "/srv/site", "/srv/site", false },
                { "/srv/site2/a.php", "/srv/site", false },
                { "/srv/site.php", "/srv/site", false },
                { "/srv/sit", "/srv/site", false },
                { "/srv/a.php", "/srv/site", false },
                { "/SRV/site/a.php", "/srv/site", false },
                { "/x/srv/site/a.php", "/srv/site", false },
                { "srv/site/a.php", "/srv/site", false },
                { "/a.php", "/", true },
                { "(unreachable)/a.php", "/", false },
                { "socket:[12]", "/", false },
                { "", "/", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(below_cases); i++)
                if (script_is_below(below_cases[i].path, below_cases[i].directory) != below_cases[i].below)
                        fail_msg("%s below %s", below_cases[i].path, below_cases[i].directory);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_long_path),
                cmocka_unit_test(test_too_many_parameters),
                cmocka_unit_test(test_below),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
