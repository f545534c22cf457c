/* SPDX-License-Identifier: MIT */

/*
 * A template as the manager starts it and hears of it. Its program is this test itself: what a child
 * inherits, it sees from inside, and its standard error is how it reports.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "helpers/child.h"
#include "helpers/fds.h"
#include "helpers/text.h"
#include "ipc/exit-status.h"
#include "manager/pool/template.h"

#define ROLE "PHP_POOL_TEST_ROLE" /* in the environment: which of the roles below the program plays */
#define LIMIT 77                  /* descriptors */
#define STATUS 5

typedef struct Fixture {
        sd_event *event;
        Template *template;
        Inherit inherit;
        size_t fds_before;
        IpcMessage messages[4];
        size_t n_messages;
} Fixture;

/* ---- The template's side ---- */

/* Says which of these are set, each on a line: "NAME=value". */
static void say_environment(void)
{
        static const char *const names[] = {
                "NOTIFY_SOCKET", "LISTEN_FDS",    "RUNTIME_DIRECTORY", "WATCHDOG_USEC",
                "LANG",          "LC_ALL",        "LC_TIME",           "LANGUAGE",
                "APP_EMPTY",     "APP_DIRECTORY", INHERIT_GENERATION
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (getenv(names[i]))
                        (void) fprintf(stderr, "%s=%s\n", names[i], getenv(names[i]));
}

static void say_signals(void)
{
        sigset_t blocked;

        (void) sigprocmask(SIG_SETMASK, NULL, &blocked);
        for (int i = 1; i < NSIG; i++) {
                struct sigaction action;

                if (sigismember(&blocked, i) == 1)
                        (void) fprintf(stderr, "signal %d is blocked\n", i);
                if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
                        (void) fprintf(stderr, "signal %d is ignored\n", i);
        }
}

static void say_what_is_inherited(const Inherit *inherit)
{
        struct stat error, out, in;
        struct rlimit limit;

        (void) getrlimit(RLIMIT_NOFILE, &limit);
        (void) fstat(STDERR_FILENO, &error);
        (void) fstat(STDOUT_FILENO, &out);
        (void) fstat(STDIN_FILENO, &in);
        (void) fprintf(stderr, "%zu descriptors of %llu\n", count_fds(),
                       (unsigned long long) limit.rlim_cur);
        (void) fprintf(stderr, "standard output is %s error's, input is %s\n",
                       error.st_ino == out.st_ino ? "standard" : "not",
                       S_ISCHR(in.st_mode) ? "null" : "something");
        (void) fprintf(stderr, "the wake descriptor is %s\n",
                       fcntl(inherit->wake, F_GETFD) >= 0 ? "there" : "not there");
        say_environment();
        say_signals();
}

/* Answers an order as a launcher would, and ends with the channel. */
static void talk(const Inherit *inherit)
{
        IpcMessage message = { .type = IPC_STARTED, .version = "8.4.99" };
        int fds[IPC_SPAWN_MAX];

        (void) ipc_send(inherit->channel, &message, NULL, 0);
        if (ipc_receive(inherit->channel, &message, fds) != 1 || message.type != IPC_SPAWN || message.n != 2)
                _exit(1);
        message.type = IPC_SPAWNED;
        for (uint32_t i = 0; i < message.n; i++)
                message.workers[i].pid = 1000 + (pid_t) message.workers[i].slot;
        (void) ipc_send(inherit->channel, &message, NULL, 0);
        if (ipc_receive(inherit->channel, &message, fds) != 1 || message.type != IPC_TRACE ||
            message.workers[0].slot != 7 || message.workers[0].pid != 1007)
                _exit(2);
        if (ipc_receive(inherit->channel, &message, fds) != 0)
                _exit(3);
}

static void say_much(void)
{
        for (unsigned i = 0; i < 1000; i++)
                (void) fprintf(stderr, "line %u\n", i);
        (void) fprintf(stderr, "zero%cs are left out\n\n\nthe end", 0);
}

/* What a program does that is started as a template. */
static int act(int argc, char **argv)
{
        const char *role = getenv(ROLE);
        Inherit inherit;

        if (!inherit_is_same_build(argc, argv) || !streq(argv[1], "www") ||
            inherit_parse(argc - INHERIT_ARGV_FIRST, argv + INHERIT_ARGV_FIRST, &inherit) < 0)
                return 1;
        if (streq(role, "see"))
                say_what_is_inherited(&inherit);
        else if (streq(role, "talk"))
                talk(&inherit);
        else if (streq(role, "words"))
                say_much();
        else if (streq(role, "nonsense")) {
                (void) send(inherit.channel, "x", 1, 0);
                (void) pause();
        }
        return STATUS;
}

/* ---- The manager's side ---- */

static void on_message(Template *t, const IpcMessage *message, void *userdata)
{
        Fixture *f = userdata;

        assert_true(t == f->template);
        assert_true(f->n_messages < ELEMENTSOF(f->messages));
        f->messages[f->n_messages++] = *message;
}

static void start(Fixture *f, const char *role, const char *executable)
{
        const TemplateOwner owner = {
                .pool = "www", .generation = "3", .on_message = on_message, .userdata = f
        };
        TemplateOwner complete = owner;

        *f = (Fixture){ .fds_before = count_fds() };
        f->inherit = (Inherit){ .descriptor_limit = LIMIT };
#define INHERIT(name) f->inherit.name = open("/dev/null", O_RDWR | O_CLOEXEC);
        INHERIT_LIST
#undef INHERIT
        f->inherit.channel = fd_close(f->inherit.channel); /* which template_start() makes */
        f->inherit.listen[f->inherit.n_listen++] = (ProtocolSocket) {
                .protocol = PROTOCOL_FASTCGI, .fd = open("/dev/null", O_RDWR | O_CLOEXEC)
        };
        assert_int_equal(sd_event_new(&f->event), 0);
        complete.event = f->event;
        assert_int_equal(setenv(ROLE, role, true), 0);
        assert_int_equal(template_start(&complete, executable, &f->inherit, &f->template), 0);
        assert_true(template_pid(f->template) > 1);
}

/* Reaps the program, which has to end with this status; what it said at last is the return value. */
static const char *ended(Fixture *f, int status)
{
        expect_exit(template_pid(f->template), status);
        template_hear_out(f->template);
        return template_last_words(f->template);
}

static void finish(Fixture *f)
{
        template_free(f->template);
        sd_event_unref(f->event);
        f->inherit.channel = -EBADF;
#define INHERIT(name) fd_close(f->inherit.name);
        INHERIT_LIST
#undef INHERIT
        fd_close(f->inherit.listen[0].fd);
        assert_int_equal(count_fds(), f->fds_before);
}

static void wait_messages(Fixture *f, size_t n)
{
        while (f->n_messages < n)
                assert_true(sd_event_run(f->event, 30 * USEC_PER_SEC) > 0);
}

/* ---- Tests ---- */

static void test_what_it_inherits(void **state _unused_)
{
        int leak = open("/dev/null", O_RDONLY); /* it is not CLOEXEC */
        sigset_t term, before;
        char expected[512];
        Fixture f;

        assert_int_equal(setenv("NOTIFY_SOCKET", "/run/notify", true), 0);
        assert_int_equal(setenv("LISTEN_FDS", "2", true), 0);
        assert_int_equal(setenv("RUNTIME_DIRECTORY", "/run/php-pool", true), 0);
        assert_int_equal(setenv("WATCHDOG_USEC", "1000", true), 0);
        assert_int_equal(setenv("LANG", "", true), 0);
        assert_int_equal(setenv("LANGUAGE", "", true), 0);
        assert_int_equal(setenv("LC_ALL", "", true), 0);
        assert_int_equal(setenv("LC_TIME", "C.UTF-8", true), 0);
        assert_int_equal(setenv("APP_EMPTY", "", true), 0);
        assert_int_equal(setenv("APP_DIRECTORY", "/srv", true), 0);
        (void) sigemptyset(&term);
        (void) sigaddset(&term, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &term, &before);
        (void) signal(SIGPIPE, SIG_IGN);

        start(&f, "see", "/proc/self/exe");
        (void) snprintf(expected, sizeof expected,
                        "%zu descriptors of %d\nstandard output is standard error's, input is null\n"
                        "the wake descriptor is "
                        "there\nLC_TIME=C.UTF-8\nAPP_EMPTY=\nAPP_DIRECTORY=/srv\n" INHERIT_GENERATION "=3",
                        3 + INHERIT_NAMED + 1, LIMIT);
        assert_string_equal(ended(&f, STATUS), expected);
        finish(&f);

        (void) signal(SIGPIPE, SIG_DFL);
        (void) sigprocmask(SIG_SETMASK, &before, NULL);
        fd_close(leak);
}

static void test_messages(void **state _unused_)
{
        static const uint32_t slots[] = { 7, 9 };
        Fixture f;

        start(&f, "talk", "/proc/self/exe");
        wait_messages(&f, 1);
        assert_int_equal(f.messages[0].type, IPC_STARTED);
        assert_string_equal(f.messages[0].version, "8.4.99");

        assert_int_equal(template_spawn(f.template, slots, (int[]){ f.inherit.wake, f.inherit.limit }, 2),
                         0);
        wait_messages(&f, 2);
        assert_int_equal(f.messages[1].type, IPC_SPAWNED);
        assert_int_equal(f.messages[1].n, 2);
        assert_int_equal(f.messages[1].workers[1].slot, 9);
        assert_int_equal(f.messages[1].workers[1].pid, 1009);

        assert_int_equal(template_trace(f.template, 7, 1007), 0);
        template_retire(f.template);
        assert_int_equal(template_trace(f.template, 7, 1007), -EBADF);
        assert_int_equal(template_spawn(f.template, slots, (int[]){ f.inherit.wake, f.inherit.limit }, 2),
                         -EBADF);
        assert_string_equal(ended(&f, STATUS), "");
        assert_int_equal(f.n_messages, 2);
        finish(&f);
}

/* One that does not speak as a template does is killed. */
static void test_nonsense(void **state _unused_)
{
        Fixture f;
        int status;

        start(&f, "nonsense", "/proc/self/exe");
        while (waitpid(template_pid(f.template), &status, WNOHANG) == 0)
                (void) sd_event_run(f.event, 10 * USEC_PER_MSEC);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(f.n_messages, 0);
        finish(&f);
}

/* The last lines, whole ones, as many as there is room for. */
static void test_last_words(void **state _unused_)
{
        static const char end[] = "\nline 998\nline 999\nzeros are left out\nthe end";
        const char *words;
        Fixture f;

        start(&f, "words", "/proc/self/exe");
        words = ended(&f, STATUS);
        assert_true(startswith(words, "line "));
        assert_true(strlen(words) < TEMPLATE_WORDS_MAX && strlen(words) > TEMPLATE_WORDS_MAX - 32);
        assert_string_equal(words + strlen(words) - strlen(end), end);
        finish(&f);
}

static void test_what_cannot_be_executed(void **state _unused_)
{
        Fixture f;

        start(&f, "", "/nowhere/php-pool-worker-8.4");
        assert_string_equal(template_program(f.template), "php-pool-worker-8.4");
        assert_string_equal(ended(&f, EXIT_STATUS_NOT_EXECUTED),
                            "Failed to execute /nowhere/php-pool-worker-8.4: No such file or directory");
        finish(&f);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_what_it_inherits),
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_nonsense),
                cmocka_unit_test(test_last_words),
                cmocka_unit_test(test_what_cannot_be_executed),
        };

        if (getenv(ROLE))
                return act(argc, argv);
        log_set_max_level(LOG_CRIT); /* what a template says is logged */
        return cmocka_run_group_tests(tests, NULL, NULL);
}
