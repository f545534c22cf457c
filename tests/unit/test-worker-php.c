/* SPDX-License-Identifier: MIT */

/*
 * The SAPI as applications and web servers see it: a real PHP in this process, without shared extensions, so
 * that the sanitizers can be used. What is expected is what php8.2-fpm answers, but where a test says
 * otherwise.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "helpers/child.h"
#include "helpers/php.h"
#include "helpers/text.h"

#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define TEXT_HTML "Content-type: text/html; charset=UTF-8\r\n"

static const char *const scripts[][2] = {
        { "hello.php", "<?php echo 'Hello';" },
        { "code.php",
          "<?php parse_str($_SERVER['QUERY_STRING'], $q); if ($q['c'] ?? 0) http_response_code($q['c']);"
          "foreach ($q['h'] ?? [] as $h) header($h, false); echo 'body';" },
        { "post.php", "<?php echo json_encode($_POST), strlen(file_get_contents('php://input'));" },
        { "put.php",
          "<?php $n = 0; $f = fopen('php://input', 'r'); while (!feof($f)) $n += strlen(fread($f, 3000));"
          "echo $n; error_log('end');" },
        { "finish.php", "<?php echo 'one'; $a = fastcgi_finish_request(); echo 'two'; flush();"
                        "error_log(json_encode([$a, fastcgi_finish_request(), connection_status()]));" },
        { "server.php",
          "<?php unset($_SERVER['REQUEST_TIME'], $_SERVER['REQUEST_TIME_FLOAT']);"
          "foreach ($_SERVER as $k => $v) if (!getenv($k, true)) echo \"$k=\", json_encode($v), \"\\n\";" },
        { "env.php", "<?php echo json_encode([getenv('HTTP_PROXY'), isset(getenv()['HTTP_PROXY']),"
                     "$_SERVER['HTTP_PROXY'] ?? 0, getenv('SCRIPT_NAME'), getenv('TEST_UNIT'),"
                     "$_SERVER['TEST_UNIT'], getenv('SCRIPT_NAME', true), getallheaders()]);" },
        { "ini.php", "<?php parse_str($_SERVER['QUERY_STRING'], $q); if ($q['s'] ?? 0) echo json_encode("
                     "ini_set($q['k'], $q['s'])); echo json_encode(ini_get($q['k']));" },
        { "log.php",
          "<?php error_log('one');\nerror_log(\"two\\nlines\");\ntrigger_error('hot', E_USER_WARNING);\n"
          "trigger_error('old', E_USER_DEPRECATED);" },
        { "fatal.php", "<?php\nundefined();" },
        { "memory.php", "<?php $a = str_repeat('x', 1 << 26);" },
        { "exit.php", "<?php ob_start(function () { exit('no'); }); register_shutdown_function(function () {"
                      "undefined(); }); echo 'x';" },
        { "stream.php",
          "<?php register_shutdown_function(fn() => error_log('shutdown ' . connection_status()));"
          "ignore_user_abort(isset($_GET['i'])); for ($i = 0; $i < 50; $i++) { echo str_repeat('x',"
          "100); flush(); } error_log('end');" },
        { "sleep.php",
          "<?php set_error_handler(fn() => print('E')); $u = microtime(true); usleep(300000);"
          "echo sleep(1), json_encode([time_nanosleep(0, 300000000), microtime(true) - $u >= 1.59,"
          "time_sleep_until(microtime(true) + 0.3), time_sleep_until(0)]);" },
        { "names.php", "<?php echo json_encode([PHP_SAPI, extension_loaded('cgi-fcgi'), function_exists("
                       "'pcntl_fork'), get_extension_funcs('cgi-fcgi'), fpm_get_status()]);" },
        { "sub/where.php", "<?php echo json_encode([ini_get('precision'), ini_get('memory_limit'),"
                           "ini_get('default_mimetype')]);" },
        { "sub/.user.ini", "precision=4\nmemory_limit=44M\ndefault_mimetype=text/plain\n" },
        { "refused.txt", "<?php echo 'no';" },
        { "dir.php/x", "" },
        { "empty/x", "" },
        { "php.ini", "expose_php=0\ndisplay_errors=0\nlog_errors=1\nhtml_errors=0\noutput_buffering=4096\n"
                     "user_ini.cache_ttl=0\ndate.timezone=UTC\nmax_input_time=-1\nregister_argc_argv=0\n"
                     "fastcgi.error_header=\"X-Failed: yes\"\n"
                     "[HOST=Special]\narg_separator.output=H\n" },
};

/* The whole answer, and what goes to the web server's log. */
static void assert_answer(const char *script, const char *out, const char *err)
{
        static Exchange x;

        x = (Exchange) { .script = script };
        run(&x);
        assert_string_equal(x.out.bytes, out);
        assert_string_equal(x.err.bytes, err);
        assert_false(x.outcome.must_exit);
}

/* The body of the answer to a request with one more variable. */
static void assert_body(const char *script, const char *var, const char *body)
{
        static Exchange x;

        x = (Exchange) { .script = script, .vars = { var } };
        run(&x);
        assert_string_equal(body_of(&x), body);
        assert_false(x.outcome.must_exit);
}

static void test_hello(void **state _unused_)
{
        static Exchange x;

        assert_answer("hello.php", TEXT_HTML "\r\nHello", "");

        x = (Exchange) { .script = "hello.php", .vars = { "REQUEST_METHOD=HEAD" } };
        run(&x);
        assert_string_equal(x.out.bytes, TEXT_HTML "\r\n");
        assert_int_equal(x.outcome.status, 200);
        assert_true(x.outcome.memory >= 256 * 1024);
}

static void test_names(void **state _unused_)
{
        assert_body("names.php", NULL,
                    "[\"fpm-fcgi\",true,false,[\"fastcgi_finish_request\",\"apache_request_headers\","
                    "\"getallheaders\",\"fpm_get_status\"],false]");
}

static void test_status_and_headers(void **state _unused_)
{
        static const char *const cases[][2] = {
                { "QUERY_STRING=c=404", "Status: 404 Not Found\r\n" TEXT_HTML },
                { "QUERY_STRING=c=799", "Status: 799\r\n" TEXT_HTML },
                { "QUERY_STRING=c=304", "Status: 304 Not Modified\r\n" },
                { "QUERY_STRING=c=304&h[]=Content-Type: a/b", "Status: 304 Not Modified\r\n" },
                { "QUERY_STRING=h[]=HTTP/1.1 444 Weird", "Status: 444 Weird\r\n" TEXT_HTML },
                { "QUERY_STRING=c=404&h[]=Status: 410 gone", "Status: 410 gone\r\n" TEXT_HTML },
                { "QUERY_STRING=h[]=Status: 201&h[]=Status: 500", "Status: 201\r\n" TEXT_HTML },
                { "QUERY_STRING=h[]=X-A: 1&h[]=X-A: 2", "X-A: 1\r\nX-A: 2\r\n" TEXT_HTML },
                { "QUERY_STRING=h[]=Location: /x", "Status: 302 Found\r\nLocation: /x\r\n" TEXT_HTML },
        };
        static Exchange x;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                x = (Exchange) { .script = "code.php", .vars = { cases[i][0] } };
                run(&x);
                assert_string_equal(body_of(&x), "body");
                x.out.bytes[x.out.size - strlen("\r\nbody")] = 0;
                assert_string_equal(x.out.bytes, cases[i][1]);
        }
}

static void test_refusals(void **state _unused_)
{
        static Exchange x;

        assert_answer("none.php", "Status: 404 Not Found\r\n" TEXT_HTML "\r\nFile not found.\n",
                      "Primary script unknown");
        assert_string_equal(env.journal.bytes, "");
        assert_answer("none.txt", "Status: 404 Not Found\r\n" TEXT_HTML "\r\nFile not found.\n",
                      "Primary script unknown");

        x = (Exchange) { .script = "refused.txt" };
        run(&x);
        assert_string_equal(x.out.bytes, "Status: 403 Forbidden\r\n" TEXT_HTML "\r\nAccess denied.\n");
        assert_has(x.err.bytes, "refused.txt' has been denied (see security.limit_extensions)");
        assert_int_equal(x.outcome.status, 403);

        x = (Exchange) { .script = "dir.php" };
        run(&x);
        assert_string_equal(body_of(&x), "No input file specified.\n");
        assert_has(x.err.bytes, "; Unable to open primary script: ");

        x = (Exchange) { .script = "hello.php", .vars = { "!REQUEST_METHOD" } };
        run(&x);
        assert_string_equal(body_of(&x), "");
}

static void test_bodies(void **state _unused_)
{
        static const char form[] = "CONTENT_TYPE=application/x-www-form-urlencoded";
        static char large[100001];
        static Exchange x;

        x = (Exchange) { .script = "post.php",
                        .body = "a=1&b=2",
                        .vars = { "REQUEST_METHOD=POST", form, "CONTENT_LENGTH=7" } };
        run(&x);
        assert_string_equal(body_of(&x), "{\"a\":\"1\",\"b\":\"2\"}7");

        x = (Exchange) { .script = "post.php",
                        .body = "a=1&b=2",
                        .vars = { "REQUEST_METHOD=POST", form, "CONTENT_LENGTH=3" } };
        run(&x);
        assert_string_equal(body_of(&x), "{\"a\":\"1\"}3");

        /* FPM takes a body without a length for none. */
        x = (Exchange) { .script = "post.php",
                        .body = "a=1&b=2",
                        .vars = { "REQUEST_METHOD=POST", form, "CONTENT_LENGTH=" } };
        run(&x);
        assert_string_equal(body_of(&x), "{\"a\":\"1\",\"b\":\"2\"}7");

        /* Caddy sends this for a chunked body. */
        x = (Exchange) { .script = "post.php",
                        .body = "a=1&b=2",
                        .vars = { "REQUEST_METHOD=POST", form, "CONTENT_LENGTH=-1" } };
        run(&x);
        assert_string_equal(body_of(&x), "{\"a\":\"1\",\"b\":\"2\"}7");

        memset(large, 'x', sizeof large - 1);
        x = (Exchange) { .script = "put.php",
                        .body = large,
                        .vars = { "REQUEST_METHOD=PUT", "CONTENT_LENGTH=100000" } };
        run(&x);
        assert_string_equal(body_of(&x), "100000");
}

/* A client that goes away while it sends: no script runs on half a form; one that reads the body itself is
 * ended. */
static void test_broken_body(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "log.php",
                        .body = "a=1",
                        .body_breaks = true,
                        .vars = { "REQUEST_METHOD=POST", "CONTENT_TYPE=application/x-www-form-urlencoded",
                                  "CONTENT_LENGTH=9" } };
        run(&x);
        assert_string_equal(x.err.bytes, "");
        x = (Exchange) { .script = "put.php",
                        .body = "a=1",
                        .body_breaks = true,
                        .vars = { "REQUEST_METHOD=PUT", "CONTENT_LENGTH=9" } };
        run(&x);
        assert_string_equal(x.err.bytes, "");
        assert_false(x.outcome.must_exit);
}

static void test_finish_request(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "finish.php" };
        run(&x);
        assert_string_equal(body_of(&x), "one");
        assert_string_equal(x.err.bytes, "");
        /* FPM would have ended the script at its next output. */
        assert_has(env.journal.bytes, "MESSAGE=[true,false,0]\n");
}

static void test_client_gone(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "stream.php", .takes = 1000 };
        run(&x);
        assert_string_equal(x.err.bytes, "PHP message: shutdown 1");

        x = (Exchange) { .script = "stream.php", .takes = 1000, .vars = { "QUERY_STRING=i=1" } };
        run(&x);
        assert_string_equal(x.err.bytes, "PHP message: end; PHP message: shutdown 1");

        x = (Exchange) { .script = "none.php", .takes = 1 };
        run(&x);
        assert_int_equal(x.out.size, 0);
        assert_false(x.outcome.must_exit);
}

static void test_server_variables(void **state _unused_)
{
        static Exchange x;

        /* From 8.5 on, argv is deprecated, which is said at each request that has it. */
        x = (Exchange){ .script = "server.php/in fo",
                        .vars = { "PHP_VALUE=register_argc_argv=1", "SCRIPT_NAME=/server.php",
                                  "PATH_INFO=/in fo", "HTTP_AUTHORIZATION=Basic dTpwOng=", "a.b=c",
                                  "QUERY_STRING=x+y" } };
        run(&x);
        assert_has(x.out.bytes, "FCGI_ROLE=\"RESPONDER\"\n");
        assert_has(x.out.bytes, "PHP_SELF=\"\\/server.php\\/in fo\"\n");
        assert_has(x.out.bytes, "PHP_AUTH_USER=\"u\"\n");
        assert_has(x.out.bytes, "PHP_AUTH_PW=\"p:x\"\n");
        assert_has(x.out.bytes, "a_b=\"c\"\n");
        assert_has(x.out.bytes, "argv=[\"x\",\"y\"]\n");
        /* In FPM's order: the last parameter first. */
        assert_true(strstr(x.out.bytes, "QUERY_STRING=") < strstr(x.out.bytes, "REQUEST_METHOD="));
}

/* What the SAPI tells the log: who, what, and the headers that it asked for, as they were sent. */
static void test_facts_for_the_log(void **state _unused_)
{
        RequestHeader wanted[] = { { .name = "x-foo" }, { .name = "Content-Type" }, { .name = "X-Fo" },
                                   { .name = "X-Gone" } };
        Exchange x = { .script = "headers.php", .wanted = wanted, .n_wanted = ELEMENTSOF(wanted),
                       .vars = { "HTTP_AUTHORIZATION=Basic dTpwOng=", "REMOTE_USER=other" } };
        char path[256];

        directory_write_text(&env.directory, "headers.php",
                             "<?php header('X-Gone: 1'); header_remove('X-Gone'); header('X-Fo'); "
                             "header('X-Foo:bar'); header('X-Foo: second', false); echo 'x';");
        run(&x);
        (void) snprintf(path, sizeof path, "%s/headers.php", env.directory.path);
        assert_string_equal(x.request.script, path);
        assert_string_equal(x.request.name, "/headers.php");
        assert_string_equal(x.request.user, "u");
        assert_string_equal(wanted[0].value, "bar");
        assert_string_equal(wanted[1].value, "text/html; charset=UTF-8");
        assert_string_equal(wanted[2].value, "");
        assert_string_equal(wanted[3].value, "");

        x = (Exchange) { .script = "none.php", .vars = { "REMOTE_USER=other" } };
        run(&x);
        assert_null(x.request.script);
        assert_string_equal(x.request.name, "/none.php");
        assert_string_equal(x.request.user, "");
}

static void test_environment(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "env.php",
                        .vars = { "HTTP_PROXY=evil", "HTTP_X_FOO=1", "CONTENT_TYPE=a/b" } };
        run(&x);
        assert_string_equal(body_of(&x), "[false,false,0,\"\\/env.php\",\"unit\",\"unit\",false,"
                                         "{\"Content-Type\":\"a\\/b\",\"X-Foo\":\"1\",\"Proxy\":\"evil\"}]");
}

static void test_pool_values(void **state _unused_)
{
        assert_body("ini.php", "QUERY_STRING=k=precision", "\"6\"");
        assert_body("ini.php", "QUERY_STRING=k=precision&s=7", "\"6\"\"7\"");
        assert_body("ini.php", "QUERY_STRING=k=memory_limit", "\"33M\"");
        assert_body("ini.php", "QUERY_STRING=k=memory_limit&s=44M", "false\"33M\"");
        assert_body("sub/where.php", NULL, "[\"4\",\"33M\",\"text\\/plain\"]");
        assert_body("ini.php", "QUERY_STRING=k=precision", "\"6\"");
        assert_body("ini.php", "QUERY_STRING=k=arg_separator.output", "\"&\"");
}

static void test_host_section(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "ini.php",
                        .vars = { "SERVER_NAME=SPECIAL", "QUERY_STRING=k=arg_separator.output&s=x" } };
        run(&x);
        assert_string_equal(body_of(&x), "false\"H\"");
        assert_body("ini.php", "QUERY_STRING=k=arg_separator.output", "\"&\"");
}

static void test_ini_parameters(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "ini.php",
                        .vars = { "QUERY_STRING=k=precision&s=3", "PHP_VALUE=precision=12\nnosuch=1" } };
        run(&x);
        assert_string_equal(body_of(&x), "\"12\"\"3\"");
        assert_string_equal(x.err.bytes, "Passing INI directive through FastCGI: unable to set 'nosuch'");
        assert_body("ini.php", "QUERY_STRING=k=precision", "\"6\"");

        x = (Exchange) { .script = "ini.php",
                        .vars = { "QUERY_STRING=k=precision&s=3", "PHP_ADMIN_VALUE=precision=12" } };
        run(&x);
        assert_string_equal(body_of(&x), "false\"12\"");
        assert_body("ini.php", "QUERY_STRING=k=precision&s=3", "\"6\"\"3\"");

        /* It would stay disabled in the worker. */
        x = (Exchange) { .script = "hello.php", .vars = { "PHP_ADMIN_VALUE=disable_functions=strlen" } };
        run(&x);
        assert_string_equal(x.err.bytes,
                            "Passing INI directive through FastCGI: unable to set 'disable_functions': "
                            "a function that is disabled stays so");

        x = (Exchange) { .script = "ini.php",
                        .tcp = true,
                        .vars = { "QUERY_STRING=k=precision", "PHP_VALUE=precision=12" } };
        run(&x);
        assert_string_equal(body_of(&x), "\"6\"");
        assert_has(env.journal.bytes, "security.ini_params");
}

static void test_log(void **state _unused_)
{
        static Exchange x;
        char expected[1024];

        x = (Exchange) { .script = "log.php" };
        run(&x);
        (void) snprintf(
                expected, sizeof expected,
                "PHP message: one; PHP message: two\nlines; PHP message: PHP Warning:  hot in %s/log.php on "
                "line 3; PHP message: PHP Deprecated:  old in %s/log.php on line 4",
                env.directory.path, env.directory.path);
        assert_string_equal(x.err.bytes, expected);

        (void) snprintf(expected, sizeof expected,
                        "CODE_FILE=%s/log.php\nCODE_LINE=3\nREQUEST_METHOD=GET\nREQUEST_URI=/log.php?q\n"
                        "PHP_SCRIPT=%s/log.php\n",
                        env.directory.path, env.directory.path);
        assert_has(env.journal.bytes, "MESSAGE=one\nPRIORITY=5\n");
        assert_has(env.journal.bytes, expected);
        assert_has(env.journal.bytes, "on line 3\nPRIORITY=4\n");
        assert_has(env.journal.bytes, "on line 4\nPRIORITY=5\n");
        /* error_log() has no place. */
        assert_true(strstr(env.journal.bytes, "CODE_FILE=") > strstr(env.journal.bytes, "two\nlines\n"));
}

static void test_failing_scripts(void **state _unused_)
{
        static Exchange x;

        x = (Exchange) { .script = "fatal.php" };
        run(&x);
        assert_has(x.out.bytes, "Status: 500 Internal Server Error\r\n");
        assert_has(x.out.bytes, "X-Failed: yes\r\n");
        assert_has(x.err.bytes, "PHP message: PHP Fatal error:  Uncaught Error: Call to undefined function");
        assert_has(env.journal.bytes, "PRIORITY=3\n");
        assert_has(env.journal.bytes, "CODE_LINE=2\n");
        assert_int_equal(x.outcome.status, 500);
        assert_false(x.outcome.must_exit);

        x = (Exchange) { .script = "memory.php" };
        run(&x);
        assert_has(x.err.bytes, "PHP message: PHP Fatal error:  Allowed memory size of ");
        assert_false(x.outcome.must_exit);

        x = (Exchange) { .script = "exit.php" };
        run(&x);
        assert_false(x.outcome.must_exit);
        assert_answer("hello.php", TEXT_HTML "\r\nHello", "");
}

static volatile sig_atomic_t retire_signals;

static void on_retire_signal(int signal _unused_)
{
        retire_signals++;
}

/* Sends it from outside for as long as the test runs. */
static pid_t start_signals(int signal)
{
        const struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
        pid_t pid, parent = getpid();

        pid = fork_child();
        while (pid == 0 && kill(parent, signal) == 0)
                (void) nanosleep(&pause, NULL);
        return pid;
}

/* SIGTERM means "finish", and cuts nothing short; systemd sends it to everybody. */
static void test_sleep_is_whole(void **state _unused_)
{
        struct sigaction action = { .sa_handler = on_retire_signal, .sa_flags = SA_RESTART }, before;
        sigset_t mask;
        pid_t pid;

        assert_int_equal(sigaction(SIGTERM, &action, &before), 0);
        pid = start_signals(SIGTERM);
        assert_body("sleep.php", NULL, "0E[true,true,true,false]");
        end_child(pid);
        assert_true(retire_signals > 0);
        assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &mask), 0);
        assert_false(sigismember(&mask, SIGTERM));
        assert_int_equal(sigaction(SIGTERM, &before, NULL), 0);
}

/* PHP cannot even start the request: a clear answer, and no further request in this process. */
static void test_start_up_failure(void **state _unused_)
{
        static char form[3 * 1024 * 1024], tmp[128], value[256];
        static Exchange x;
        pid_t pid;

        memset(form, 'x', sizeof form - 1);
        form[1] = '=';
        (void) snprintf(tmp, sizeof tmp, "%s/tmp", env.directory.path);
        (void) snprintf(value, sizeof value, "PHP_ADMIN_VALUE=memory_limit=2M\nupload_tmp_dir=%s", tmp);
        assert_int_equal(mkdir(tmp, 0700), 0);
        pid = fork_child();
        if (pid == 0) {
                x = (Exchange) { .script = "hello.php",
                                .body = form,
                                .vars = { "REQUEST_METHOD=POST",
                                          "CONTENT_TYPE=application/x-www-form-urlencoded",
                                          "CONTENT_LENGTH=3145727", value } };
                run(&x);
                _exit(x.outcome.must_exit && x.outcome.status == 500 &&
                                      startswith(x.out.bytes, "Status: 500 ")
                              ? 0
                              : 1);
        }
        expect_exit(pid, 0);
        assert_int_equal(rmdir(tmp), 0); /* nothing of the body is left */
}

static int set_up(void **state _unused_)
{
        static char *values[] = { (char *) "precision=6", NULL };
        static char *admin_values[] = { (char *) "memory_limit=33M", NULL };
        int r;

        env_open(scripts, ELEMENTSOF(scripts));
        catch_journal();
        assert_int_equal(setenv("TEST_UNIT", "unit", true), 0);
        free(env.config->php_value);
        free(env.config->php_admin_value);
        env.config->php_value = values;
        env.config->php_admin_value = admin_values;
        r = env_start();
        assert_null(getenv("PHP_INI_SCAN_DIR"));
        assert_true(startswith(engine_version(), "8.") != NULL);
        return r;
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hello),
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_status_and_headers),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_bodies),
                cmocka_unit_test(test_broken_body),
                cmocka_unit_test(test_finish_request),
                cmocka_unit_test(test_client_gone),
                cmocka_unit_test(test_server_variables),
                cmocka_unit_test(test_facts_for_the_log),
                cmocka_unit_test(test_environment),
                cmocka_unit_test(test_pool_values),
                cmocka_unit_test(test_host_section),
                cmocka_unit_test(test_ini_parameters),
                cmocka_unit_test(test_log),
                cmocka_unit_test(test_failing_scripts),
                cmocka_unit_test(test_sleep_is_whole),
                cmocka_unit_test(test_start_up_failure),
        };

        return cmocka_run_group_tests(tests, set_up, env_close);
}
