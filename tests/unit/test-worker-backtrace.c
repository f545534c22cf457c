/* SPDX-License-Identifier: MIT */

/*
 * Backtraces from outside: a fork runs a script in a real PHP, as a worker does, and the test, which it was
 * forked from, reads its stack. Scripts stop at a FIFO, "gate", for as long as the test wants.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "helpers/child.h"
#include "helpers/php.h"
#include "helpers/text.h"

#include <fcntl.h>
#include <php.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fd.h"
#include "base/time.h"
#include "base/utf8.h"
#include "worker/php/backtrace.h"

#define TEST_TIME_MAX 120 /* seconds, for all */
#define DEPTH 20

static const char *const scripts[][2] = {
        { "wait.php", "<?php\nfunction wait() { return file_get_contents(__DIR__ . '/gate'); }\n" },
        { "lib.php",
          "<?php\n"
          "class Base {\n"
          "    function total() { return static::sum([1]); }\n"
          "    static function sum($a) { return array_map(function ($i) { return items($i); }, $a); }\n"
          "}\n"
          "class Cart extends Base {}\n"
          "function items($i) { foreach (generate($i) as $v) return $v; }\n"
          "function generate($i) { yield (function () {\n"
          "    return eval(\"\\nreturn (static fn() => magic())();\"); })->call(new Cart); }\n"
          "function magic() { return (new class { function __call($n, $a) { return wait(); } })->any(); "
          "}\n" },
        { "sub/go.php", "<?php\nreturn (new Cart)->total();" },
        { "nested.php", "<?php\nrequire 'wait.php';\nrequire 'lib.php';\n"
                        "echo json_encode(include __DIR__ . '/sub/go.php');" },
        { "main.php", "<?php\n\necho\n    file_get_contents(__DIR__ . '/gate');" },
        { "generator.php", "<?php\nrequire 'wait.php';\nfunction inner() { yield wait(); }\n"
                           "function outer() {\n    yield from inner();\n}\n"
                           "echo outer()\n    ->current();" },
        { "fiber.php", "<?php\nrequire 'wait.php';\nfunction f() {\n    wait();\n}\n"
                       "$f = new Fiber(f(...));\n$f->start();" },
        { "shutdown.php",
          "<?php\nrequire 'wait.php';\nregister_shutdown_function(function () {\n    wait();\n});" },
        { "autoload.php",
          "<?php\nrequire 'wait.php';\nspl_autoload_register(function ($c) {\n    wait(); });\n"
          "echo json_encode(class_exists(\n    'Missing'));\ntry {\n"
          "    Missing::call();\n} catch (Error $e) {}" },
        { "destructor.php", "<?php\nrequire 'wait.php';\n"
                            "class D { function __destruct() {\n    wait(); } }\n"
                            "function thrower() { throw new Exception; }\n"
                            "function throws() {\n    var_dump(new D,\n        thrower());\n}\n"
                            "try {\n    throws();\n} catch (Exception $e) {}" },
        { "deep.php", "<?php\nrequire 'wait.php';\nfunction r($n) {\n    return $n ? r($n - 1) : wait(); }\n"
                      "r(1000);" },
        { "long.php", "<?php\nrequire 'wait.php';\n$n = str_repeat('n', 300);\n"
                      "eval(\"function $n(\\$i) { return \\$i ? $n(\\$i - 1) : wait(); }\");\n$n(600);" },
        { "name.php", "<?php\nrequire 'wait.php';\nclass Straße { static function öffne() {\n"
                      "    wait(); } }\nStraße::öffne();" },
        { "select.php", "<?php\n$s = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);\n"
                        "$r = [$s[0]]; $w = $e = null; $t = hrtime(true);\n"
                        "echo json_encode([stream_select($r, $w, $e, 1), hrtime(true) - $t >= 1e9]);" },
        { "spin.php", "<?php\n$i = 0;\nwhile (true)\n    $i++;" },
        { "busy.php",
          "<?php\nclass A { public $n; function __get($n) { return deep(30); }\n"
          "    function __destruct() { deep(3); } }\n"
          "function deep($n) { return $n > 0 ? deep($n - 1) : strlen(str_repeat('x', 100)); }\n"
          "function gen($n) { yield deep($n); yield from gen2($n); }\n"
          "function gen2($n) { yield usort($GLOBALS['list'], fn($a, $b) => deep(2) + $a <=> $b); }\n"
          "function thrower() { $a = new A; throw new Exception; }\n"
          "$list = range(1, 10);\n"
          "for ($i = 0; ; $i++) {\n"
          "    $f = eval(\"return function (\\$f) { return \\$f(); };\");\n"
          "    for ($k = 0; $k < 10; $k++) $f(function () { return (new A)->prop; });\n"
          "    foreach (gen(5) as $v);\n"
          "    try { thrower(); } catch (Exception $e) {}\n"
          "    if ($i % 16 == 0) (new Fiber(fn() => deep(5)))->start();\n"
          "}" },
        { "php.ini", "display_errors=1\nlog_errors=0\nhtml_errors=0\nmax_execution_time=0\n" },
        { "empty/x", "" },
};

/* A worker that runs the script; it exits with 0 where the answer is this one. */
static pid_t start(const char *script, const char *answer)
{
        static Exchange x;
        pid_t pid;

        pid = fork_child();
        if (pid > 0)
                return pid;

        x = (Exchange) { .script = script };
        run(&x);
        if (!streq(body_of(&x), answer))
                (void) fprintf(stderr, "%s answered: %s\n", script, body_of(&x));
        _exit(!streq(body_of(&x), answer));
}

static void pause_shortly(void)
{
        (void) nanosleep(&(struct timespec) { .tv_nsec = 1000 * 1000 }, NULL);
}

/* As of a worker whose memory the template was given, here opened each time. */
static int read_backtrace(pid_t pid, size_t depth, Backtrace **ret)
{
        char path[64];
        int memory, r;

        (void) snprintf(path, sizeof path, "/proc/%d/mem", pid);
        memory = open(path, O_RDONLY | O_CLOEXEC);
        if (memory < 0)
                return -errno;
        r = backtrace_read(memory, depth, ret);
        fd_close(memory);
        return r;
}

/* The backtrace once the script is in this function. */
static Backtrace *trace(pid_t pid, size_t depth, const char *innermost)
{
        for (;;) {
                Backtrace *b = NULL;
                int r;

                r = read_backtrace(pid, depth, &b);
                assert_true(r >= 0 || r == -ENODATA);
                if (r >= 0 && b->settled && startswith(b->text + strcspn(b->text, " "), innermost))
                        return b;
                backtrace_free(b);
                pause_shortly();
        }
}

/* Opens the gate once for who waits there. */
static void open_gate(void)
{
        char path[128];
        int fd;

        (void) snprintf(path, sizeof path, "%s/gate", env.directory.path);
        fd = open(path, O_WRONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        fd_close(fd);
}

/* Copies without what differs from run to run: addresses, which have a form, and the directory. */
static void plain(const char *text, char *to)
{
        size_t n_dir = strlen(env.directory.path);

        while (*text) {
                if (startswith(text, "[0x")) {
                        assert_int_equal(strspn(text + 3, "0123456789abcdef"), 16);
                        assert_non_null(startswith(text + 19, "] "));
                        text += 21;
                }
                if (startswith(text, env.directory.path))
                        text += n_dir;
                else
                        *to++ = *text++;
        }
        *to = 0;
}

/* Before 8.4 a closure has no name of its own: "{closure:total():4}" is "{closure}". */
static void of_this_php(const char *text, char *to)
{
        while (*text) {
                const char *name = PHP_VERSION_ID < 80400 ? startswith(text, "{closure:") : NULL;

                if (name) {
                        to = stpcpy(to, "{closure}");
                        text = strchr(name, '}') + 1;
                } else
                        *to++ = *text++;
        }
        *to = 0;
}

static void assert_frames(const Backtrace *b, const char *expected)
{
        static char text[BACKTRACE_TEXT_MAX], here[BACKTRACE_TEXT_MAX];

        plain(b->text, text);
        of_this_php(expected, here);
        assert_string_equal(text, here);
}

/* The whole backtrace of a script at the gate, and what it answers when it goes on. */
static void check(const char *script, const char *frames, const char *answer)
{
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        pid_t pid = start(script, answer);

        b = trace(pid, DEPTH, " file_get_contents(");
        assert_frames(b, frames);
        assert_true(b->settled);
        open_gate();
        expect_exit(pid, 0);
}

#define WAITS "file_get_contents() /wait.php:2\n"

static void test_frames(void **state _unused_)
{
        check("main.php", "file_get_contents() /main.php:4", "");
        check("nested.php",
              WAITS "wait() /lib.php:10\n"
                    "class@anonymous->__call() /lib.php:10\n"
                    "magic() /lib.php(9) : eval()'d code:2\n"
                    "Cart::{closure:/lib.php(9) : eval()'d code:2}() /lib.php(9) : eval()'d code:2\n"
                    "[INCLUDE_OR_EVAL]() /lib.php:9\n"
                    "Cart->{closure:generate():8}() /lib.php:9\n"
                    "Closure->call() /lib.php:9\n"
                    "generate() /lib.php:7\n"
                    "items() /lib.php:4\n"
                    "Base::{closure:Base::sum():4}() /lib.php:4\n"
                    "array_map() /lib.php:4\n"
                    "Base::sum() /lib.php:3\n"
                    "Base->total() /sub/go.php:2\n"
                    "[INCLUDE_OR_EVAL]() /nested.php:4",
              "[\"\"]");
}

/* PHP's stack has frames in between that are none, and calls that no PHP code made. */
static void test_odd_frames(void **state _unused_)
{
        check("generator.php", WAITS "wait() /generator.php:3\ninner() /generator.php:8\n"
                                     "Generator->current() /generator.php:8",
              "");
        check("fiber.php", WAITS "wait() /fiber.php:4\nf() /fiber.php:7\nFiber->start() /fiber.php:7", "");
        check("shutdown.php", WAITS "wait() /shutdown.php:4\n{closure:/shutdown.php:3}() unknown:0", "");
        check("destructor.php",
              WAITS "wait() /destructor.php:4\nD->__destruct() /destructor.php:8\n"
                    "throws() /destructor.php:11",
              "");
        check("name.php", WAITS "wait() /name.php:4\nStraße::öffne() /name.php:5", "");
}

static void test_autoload(void **state _unused_)
{
        _cleanup_(backtrace_freep) Backtrace *b = NULL, *c = NULL;
        pid_t pid = start("autoload.php", "false");

        b = trace(pid, DEPTH, " file_get_contents(");
        /* From 8.4 on, the compiler makes an instruction of class_exists(), which needs no frame. */
        assert_frames(b, PHP_VERSION_ID < 80400
                              ? WAITS "wait() /autoload.php:4\n{closure}() /autoload.php:5\n"
                                      "class_exists() /autoload.php:5"
                              : WAITS "wait() /autoload.php:4\n{closure:/autoload.php:3}() /autoload.php:5");
        open_gate();
        do { /* until it is at the gate again */
                backtrace_free(TAKE_PTR(c));
                c = trace(pid, DEPTH, " file_get_contents(");
        } while (!strstr(c->text, "autoload.php:8"));
        assert_frames(c, WAITS "wait() /autoload.php:4\n{closure:/autoload.php:3}() /autoload.php:8");
        open_gate();
        expect_exit(pid, 0);
}

static void test_depth(void **state _unused_)
{
        static const struct {
                size_t depth, frames;
        } cases[] = { { 1, 1 }, { 3, 3 }, { 512, 512 }, { 100000, BACKTRACE_DEPTH_MAX } };
        pid_t pid = start("deep.php", "");

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(backtrace_freep) Backtrace *b = trace(pid, cases[i].depth, " file_get_contents(");
                size_t lines = 1;

                for (const char *p = b->text; *p; p++)
                        lines += *p == '\n';
                assert_int_equal(b->n_frames, cases[i].frames);
                assert_int_equal(lines, cases[i].frames);
                /* Also the last one has its place, outside of what was asked for. */
                assert_null(strstr(b->text, "unknown"));
        }
        open_gate();
        expect_exit(pid, 0);
}

/* Names are cut, and the text is at the end of a line. */
static void test_long_text(void **state _unused_)
{
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        pid_t pid = start("long.php", "");
        const char *last;

        b = trace(pid, 512, " file_get_contents(");
        assert_true(b->n_frames > 100 && b->n_frames < 512);
        assert_true(strlen(b->text) > BACKTRACE_TEXT_MAX - 1000);
        last = strrchr(b->text, '\n') + 1;
        assert_int_equal(strspn(last + strcspn(last, "n"), "n"), 255);
        assert_has(last, "/long.php(4) : eval()'d code:1");
        open_gate();
        expect_exit(pid, 0);
}

/* How often the process was taken off the processor, which it is at each system call that waits. */
static unsigned long count_switches(pid_t pid)
{
        unsigned long voluntary, involuntary;
        char path[64], text[4096], *p;
        FILE *f;

        (void) snprintf(path, sizeof path, "/proc/%d/status", pid);
        f = fopen(path, "re");
        assert_non_null(f);
        text[fread(text, 1, sizeof text - 1, f)] = 0;
        (void) fclose(f);
        p = strstr(text, "\nvoluntary_ctxt_switches:");
        assert_non_null(p);
        assert_int_equal(sscanf(p, "\nvoluntary_ctxt_switches: %lu nonvoluntary_ctxt_switches: %lu",
                                &voluntary, &involuntary),
                         2);
        return voluntary + involuntary;
}

/* A script that waits does not notice: it is not even woken. */
static void test_undisturbed(void **state _unused_)
{
        enum { ROUNDS = 1000 };
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        pid_t pid = start("nested.php", "[\"\"]");
        unsigned long before;
        usec_t began;

        b = trace(pid, DEPTH, " file_get_contents(");
        pause_shortly(); /* on its way into open(2) it may be switched away from still */
        before = count_switches(pid);
        began = now_monotonic();
        for (size_t i = 0; i < ROUNDS; i++) {
                backtrace_free(TAKE_PTR(b));
                assert_int_equal(read_backtrace(pid, DEPTH, &b), 0);
                assert_true(b->settled);
        }
        print_message("%zu frames: %zu system calls, %.1f us\n", b->n_frames, b->n_calls,
                      (double) (now_monotonic() - began) / ROUNDS);
        assert_int_equal(count_switches(pid), before);
        assert_true(b->n_calls <= 3 * b->n_frames);
        open_gate();
        expect_exit(pid, 0);
}

/* select(2) is never restarted: anything that interrupts it shows. */
static void test_wait_is_whole(void **state _unused_)
{
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        pid_t pid = start("select.php", "[0,true]");
        size_t n = 0;

        b = trace(pid, DEPTH, " stream_select(");
        for (siginfo_t info = {}; info.si_pid == 0; n++) {
                backtrace_free(TAKE_PTR(b));
                (void) read_backtrace(pid, DEPTH, &b);
                assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
        }
        assert_true(n > 100);
        expect_exit(pid, 0);
}

static void test_main_alone(void **state _unused_)
{
        _cleanup_(backtrace_freep) Backtrace *b = NULL;
        static char text[BACKTRACE_TEXT_MAX];
        pid_t pid = start("spin.php", "");

        b = trace(pid, DEPTH, " {main}(");
        plain(b->text, text);
        assert_non_null(startswith(text, "{main}() /spin.php:"));
        assert_null(strchr(text, '\n'));
        end_child(pid);
}

static void assert_sane(const Backtrace *b)
{
        static char copy[BACKTRACE_TEXT_MAX];
        size_t lines = b->n_frames > 0;

        assert_true(strlen(b->text) < BACKTRACE_TEXT_MAX);
        for (const char *p = b->text; *p; p++)
                lines += *p == '\n';
        assert_int_equal(lines, b->n_frames);
        for (char *p = strcpy(copy, b->text); *p; p++)
                if (*p == '\n')
                        *p = ' ';
        utf8_make_printable(copy);
        for (size_t i = 0; copy[i]; i++)
                assert_true(copy[i] == b->text[i] || b->text[i] == '\n');
}

/* Its memory changes while it is read. */
static void test_running_target(void **state _unused_)
{
        enum { ROUNDS = 10000 };
        size_t settled = 0, frames = 0, calls = 0, failed = 0;
        pid_t pid = start("busy.php", "");
        usec_t began;

        backtrace_free(trace(pid, DEPTH, " deep("));
        began = now_monotonic();
        for (size_t i = 0; i < ROUNDS; i++) {
                Backtrace *b = NULL;
                int r;

                r = read_backtrace(pid, 64, &b);
                if (r < 0) { /* the stack's first page was just given back, as a fiber ended */
                        assert_int_equal(r, -EFAULT);
                        failed++;
                        continue;
                }
                assert_sane(b);
                settled += b->settled;
                frames += b->n_frames;
                calls += b->n_calls;
                backtrace_free(b);
        }
        print_message("running: %zu settled, %zu failed of %d; %.1f frames, %.1f system calls, %.1f us\n",
                      settled, failed, ROUNDS, (double) frames / ROUNDS, (double) calls / ROUNDS,
                      (double) (now_monotonic() - began) / ROUNDS);
        assert_true(frames > ROUNDS);
        assert_true(failed < ROUNDS / 100);
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0); /* it goes on */
        end_child(pid);
}

static void test_no_target(void **state _unused_)
{
        Backtrace *b = NULL;
        char path[64];
        int memory;
        pid_t pid;

        assert_int_equal(read_backtrace(getpid(), DEPTH, &b), -ENODATA); /* no request */

        pid = start("spin.php", "");
        (void) snprintf(path, sizeof path, "/proc/%d/mem", pid);
        memory = open(path, O_RDONLY | O_CLOEXEC);
        assert_true(memory >= 0);
        end_child(pid);
        assert_int_equal(backtrace_read(memory, DEPTH, &b), -ESRCH);
        assert_null(b);
        fd_close(memory);
}

/* ---- A hostile worker: whatever it has for a stack ---- */

/* Memory that ends: nothing is mapped behind it. */
typedef struct Arena {
        zend_execute_data frames[4];
        zend_function function;
        zend_class_entry class;
        zend_op opline;
        _Alignas(8) char string[1024]; /* a zend_string */
        _Alignas(8) char last[sizeof(zend_string)];
} Arena;

static zend_string *set_php_string(void *place, size_t size, const char *value)
{
        zend_string *s = place;

        s->len = size;
        memcpy(s->val, value, strlen(value) + 1);
        return s;
}

/* A good frame, that cases spoil. */
static Arena *make_arena(void)
{
        size_t size = (sizeof(Arena) + 4095) / 4096 * 4096;
        char *p = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        Arena *a;

        assert_true(p != MAP_FAILED);
        assert_int_equal(mprotect(p + size, 4096, PROT_NONE), 0);
        a = (Arena *) (p + (size - sizeof(Arena)) / 16 * 16);
        a->function.type = ZEND_USER_FUNCTION;
        a->function.common.function_name = set_php_string(a->string, 3, "fun");
        a->function.op_array.filename = a->function.common.function_name;
        a->opline.lineno = 7;
        a->class.name = a->function.common.function_name;
        for (size_t i = 0; i < ELEMENTSOF(a->frames); i++)
                a->frames[i] = (zend_execute_data) {
                        .func = &a->function,
                        .opline = &a->opline,
                        .prev_execute_data = i + 1 < ELEMENTSOF(a->frames) ? &a->frames[i + 1] : NULL,
                };
        return a;
}

typedef void (*spoil_t)(Arena *a);

static void *nowhere(void)
{
        return (void *) 0xdeadbeefdeadbee8;
}

static void spoil_nothing(Arena *a)
{
        EG(current_execute_data) = &a->frames[2];
}

static void spoil_start(Arena *a _unused_)
{
        EG(current_execute_data) = nowhere();
}

static void spoil_start_alignment(Arena *a)
{
        EG(current_execute_data) = (void *) ((char *) &a->frames[2] + 1);
}

static void spoil_start_last(Arena *a _unused_)
{
        EG(current_execute_data) = (void *) -8;
}

static void spoil_next(Arena *a)
{
        a->frames[3].prev_execute_data = nowhere();
}

static void spoil_self(Arena *a)
{
        a->frames[2].prev_execute_data = &a->frames[2];
}

static void spoil_cycle(Arena *a)
{
        a->frames[3].prev_execute_data = &a->frames[2];
}

static void spoil_function(Arena *a)
{
        a->frames[2].func = nowhere();
}

static void spoil_caller(Arena *a)
{
        a->frames[3].func = (void *) 9;
}

static void spoil_type(Arena *a)
{
        a->function.type = 77;
}

static void spoil_opline(Arena *a)
{
        a->frames[3].opline = nowhere();
}

static void spoil_name(Arena *a)
{
        a->function.common.function_name = nowhere();
}

static void spoil_name_end(Arena *a)
{
        a->function.common.function_name = set_php_string(a->last, SIZE_MAX, "");
}

static void spoil_name_size(Arena *a)
{
        memset(a->string, 'x', sizeof a->string);
        ((zend_string *) a->string)->len = SIZE_MAX;
        a->function.op_array.filename = NULL;
}

static void spoil_name_text(Arena *a)
{
        a->function.common.function_name = set_php_string(a->string, 6, "a\nb\xff\x1b\x7f");
}

static void spoil_class(Arena *a)
{
        a->function.common.scope = nowhere();
}

static void spoil_class_name(Arena *a)
{
        a->function.common.scope = &a->class;
        a->class.name = (void *) -8;
}

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
        spoil_t spoil;
        const char *frames; /* "" where it fails with -EFAULT */
} hostile[] = {
        { spoil_nothing, "fun() fun:7\nfun() unknown:0" },
        { spoil_start, "" },
        { spoil_start_alignment, "" },
        { spoil_start_last, "" },
        { spoil_next, "fun() fun:7\nfun() unknown:0" },
        { spoil_self, "fun() unknown:0" },
        { spoil_cycle, "fun() fun:7\nfun() unknown:0" },
        { spoil_function, "\?\?\?() fun:7\nfun() unknown:0" },
        { spoil_caller, "fun() unknown:0\n\?\?\?() unknown:0" },
        { spoil_type, "\?\?\?() unknown:0\n\?\?\?() unknown:0" },
        { spoil_opline, "fun() fun:0\nfun() unknown:0" },
        { spoil_name, "\?\?\?() fun:7\n\?\?\?() unknown:0" },
        { spoil_name_end, "\?\?\?() fun:7\n\?\?\?() unknown:0" },
        { spoil_name_size,
          X50 X50 X50 X50 X50 "xxxxx() unknown:7\n" X50 X50 X50 X50 X50 "xxxxx() unknown:0" },
        { spoil_name_text, "a?b\?\?\?() a?b???:7\na?b\?\?\?() unknown:0" },
        { spoil_class, "???::fun() fun:7\n???::fun() unknown:0" },
        { spoil_class_name, "???::fun() fun:7\n???::fun() unknown:0" },
};

/* A process that has said that it is ready, when it is waited for. */
static pid_t start_hostile(spoil_t spoil)
{
        int ready[2];
        char byte;
        pid_t pid;

        assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
        pid = fork_child();
        if (pid == 0) {
                Arena *a = make_arena();

                spoil_nothing(a);
                spoil(a);
                if (write(ready[1], "", 1) == 1)
                        (void) pause();
                _exit(1);
        }
        fd_close(ready[1]);
        assert_int_equal(read(ready[0], &byte, 1), 1);
        fd_close(ready[0]);
        return pid;
}

static void test_hostile_target(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(hostile); i++) {
                _cleanup_(backtrace_freep) Backtrace *b = NULL;
                pid_t pid = start_hostile(hostile[i].spoil);
                int r = read_backtrace(pid, DEPTH, &b);

                end_child(pid);
                assert_int_equal(r, *hostile[i].frames ? 0 : -EFAULT);
                if (r >= 0)
                        assert_frames(b, hostile[i].frames);
        }
}

/* Writes pointers into its stack without end: into it, to nowhere, to PHP. */
static _noreturn_ void scramble(void)
{
        Arena *a = make_arena();
        uintptr_t targets[] = { 0, (uintptr_t) a, (uintptr_t) nowhere(), (uintptr_t) &executor_globals,
                                (uintptr_t) a->string, (uintptr_t) (a + 1) };
        uintptr_t *words = (uintptr_t *) a;
        uint64_t state = 1;

        for (;;) {
                uintptr_t value;

                state = state * 6364136223846793005U + 1442695040888963407U;
                value = targets[(state >> 60) % ELEMENTSOF(targets)];
                if (value == (uintptr_t) a)
                        value += (state >> 20) % sizeof *a & ~7UL;
                words[(state >> 33) % (sizeof *a / sizeof *words)] = value;
                EG(current_execute_data) = &a->frames[state >> 62];
                atomic_signal_fence(memory_order_seq_cst); /* somebody reads it */
        }
}

static void test_scrambled_target(void **state _unused_)
{
        size_t frames = 0;
        pid_t pid;

        pid = fork_child();
        if (pid == 0)
                scramble();
        while (frames < 10000) {
                Backtrace *b = NULL;

                if (read_backtrace(pid, DEPTH, &b) < 0)
                        continue;
                assert_sane(b);
                frames += b->n_frames;
                backtrace_free(b);
        }
        end_child(pid);
}

static int set_up(void **state _unused_)
{
        char path[128];

        (void) alarm(TEST_TIME_MAX);
        env_open(scripts, ELEMENTSOF(scripts));
        (void) snprintf(path, sizeof path, "%s/gate", env.directory.path);
        assert_int_equal(mkfifo(path, 0600), 0);
        return env_start();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_frames),         cmocka_unit_test(test_odd_frames),
                cmocka_unit_test(test_autoload),       cmocka_unit_test(test_depth),
                cmocka_unit_test(test_long_text),      cmocka_unit_test(test_undisturbed),
                cmocka_unit_test(test_wait_is_whole),  cmocka_unit_test(test_main_alone),
                cmocka_unit_test(test_running_target), cmocka_unit_test(test_no_target),
                cmocka_unit_test(test_hostile_target), cmocka_unit_test(test_scrambled_target),
        };

        return cmocka_run_group_tests(tests, set_up, env_close);
}
