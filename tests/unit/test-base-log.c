/* SPDX-License-Identifier: MIT */

/*
 * The log as text on standard error, and in the journal: what is written, what is dropped, what is returned,
 * and who waits for a journal that takes no record: only errors, and not for long.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/messages.h"
#include "helpers/child.h"
#include "helpers/journal.h"

/* Standard error is a file while a test runs; cmocka needs the true one behind it. */
typedef struct Capture {
        int file, saved;
} Capture;

static int set_up(void **state)
{
        static Capture capture;

        capture.file = memfd_create("stderr", MFD_CLOEXEC);
        capture.saved = dup(STDERR_FILENO);
        *state = &capture;
        setenv("PHP_POOL_LOG", "stderr", true);
        log_open();
        log_set_max_level(LOG_NOTICE);
        return capture.file < 0 || capture.saved < 0 || dup2(capture.file, STDERR_FILENO) < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
        Capture *capture = *state;

        if (dup2(capture->saved, STDERR_FILENO) < 0)
                return -1;
        fd_close(capture->saved);
        fd_close(capture->file);
        return 0;
}

static void assert_logged(const Capture *capture, const char *expected)
{
        _cleanup_(freep) void *data = NULL;

        assert_int_equal(io_read_file(capture->file, 1 << 20, &data, NULL), 0);
        assert_string_equal(data, expected);
}

static void test_text(void **state)
{
        assert_false(log_to_journal());
        log_notice("hello %s", "world");
        log_error("twice");
        assert_logged(*state, "php-pool: notice: hello world\nphp-pool: error: twice\n");
}

static void test_levels(void **state)
{
        assert_int_equal(log_get_max_level(), LOG_NOTICE);
        log_debug("a");
        log_info("b");
        log_set_max_level(LOG_DEBUG);
        log_debug("c");
        log_set_max_level(LOG_ERR);
        log_warning("d");
        assert_logged(*state, "php-pool: debug: c\n");
}

/* It can stand behind return: the error comes back negative, also when nothing is written, and errno stays.
 */
static void test_errno(void **state)
{
        errno = ENOTTY;
        assert_int_equal(log_error_errno(-ENOENT, "No: %m"), -ENOENT);
        assert_int_equal(log_warning_errno(EPERM, "Not: %m"), -EPERM);
        assert_int_equal(log_debug_errno(-EIO, "dropped: %m"), -EIO);
        assert_int_equal(log_full(LOG_NOTICE, 0, "none"), 0);
        assert_int_equal(errno, ENOTTY);
        assert_logged(*state, "php-pool: error: No: No such file or directory\n"
                              "php-pool: warning: Not: Operation not permitted\n"
                              "php-pool: notice: none\n");
}

static void test_long_message(void **state)
{
        _cleanup_(freep) char *text = malloc(2 * LOG_MESSAGE_MAX + 1);
        _cleanup_(freep) void *data = NULL;
        Capture *capture = *state;
        size_t size;

        assert_non_null(text);
        memset(text, 'x', 2 * LOG_MESSAGE_MAX);
        text[2 * LOG_MESSAGE_MAX] = 0;
        log_notice("%s", text);
        assert_int_equal(io_read_file(capture->file, 1 << 20, &data, &size), 0);
        assert_int_equal(size, strlen("php-pool: notice: \n") + LOG_MESSAGE_MAX - 1);
}

/* Fields are for the journal. */
static void test_fields(void **state)
{
        const LogField fields[] = { { "PHP_POOL_TEST", "value" }, { "PHP_SCRIPT", NULL }, {} };

        assert_int_equal(log_set_context("PHP_POOL", "a"), 0);
        assert_int_equal(log_set_context("PHP_POOL", "b"), 0);
        assert_int_equal(log_set_context("A", "a"), 0);
        assert_int_equal(log_set_context("B", "a"), 0);
        assert_int_equal(log_set_context("C", "a"), 0);
        assert_int_equal(log_set_context("D", "a"), -ENOSPC);
        assert_int_equal(log_set_context("A", "b"), 0);

        log_record(LOG_NOTICE, 0, "0123456789abcdef0123456789abcdef", fields, "text");
        assert_logged(*state, "php-pool: notice: text\n");
}

/* ---- The journal ---- */

/* The log goes to a socket in journald's place. */
static int open_journal(char path[static JOURNAL_PATH_SIZE])
{
        int fd;

        (void) snprintf(path, JOURNAL_PATH_SIZE, "/tmp/php-pool-test-log-%d", getpid());
        fd = journal_bind(path);
        log_set_journal(path);
        setenv("PHP_POOL_LOG", "journal", true);
        log_open();
        assert_true(log_to_journal());
        return fd;
}

static void close_journal(int fd, const char *path)
{
        fd_close(fd);
        (void) unlink(path);
}

static void test_journal(void **state)
{
        const LogField fields[] = { { "PHP_SCRIPT", "/srv/a.php" }, { "CODE_FILE", NULL }, { "A", "" }, {} };
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);

        assert_int_equal(log_record(LOG_WARNING, EPERM, "0123456789abcdef0123456789abcdef", fields,
                                    "two\nlines: %m"),
                         -EPERM);
        log_info("dropped");
        assert_true(journal_receive(fd, text, sizeof text));
        assert_string_equal(text, "MESSAGE\n\".......two\nlines: Operation not permitted\nPRIORITY=4\n"
                                  "SYSLOG_IDENTIFIER=php-pool\nMESSAGE_ID=0123456789abcdef0123456789abcdef\n"
                                  "PHP_POOL=b\nA=b\nB=a\nC=a\nPHP_SCRIPT=/srv/a.php\nA=\n");
        assert_false(journal_receive(fd, text, sizeof text));
        assert_logged(*state, "");
        close_journal(fd, path);
}

/* They are cut, by whole characters, and what else there is to say is still there. */
static void test_long_journal_message(void **state)
{
        static char message[4 * LOG_MESSAGE_MAX + 1], uri[4 * LOG_FIELD_MAX + 1];
        static char text[2 * JOURNAL_RECORD_MAX];
        const LogField fields[] = { { "REQUEST_URI", uri }, { "PHP_SCRIPT", "/srv/a.php" }, {} };
        char path[JOURNAL_PATH_SIZE], *end;
        int fd = open_journal(path);

        for (size_t i = 0; i < sizeof message - 1; i++)
                message[i] = "€"[i % 3];
        for (size_t i = 0; i < sizeof uri - 1; i++)
                uri[i] = "€"[i % 3];
        log_record(LOG_NOTICE, 0, NULL, fields, "%s", message);
        assert_true(journal_receive(fd, text, sizeof text));
        end = strstr(text, "\nPRIORITY=");
        assert_non_null(end);
        assert_int_equal(end - text - (ssize_t) strlen("MESSAGE="), (LOG_MESSAGE_MAX - 1) / 3 * 3);
        end = strstr(text, "\nPHP_SCRIPT=/srv/a.php\n");
        assert_non_null(end);
        assert_int_equal(end - strstr(text, "\nREQUEST_URI=") - (ssize_t) strlen("\nREQUEST_URI="),
                         LOG_FIELD_MAX / 3 * 3);
        assert_logged(*state, "");
        close_journal(fd, path);
}

static void expect_lost(int fd, size_t n)
{
        char text[1024], expected[64];

        (void) snprintf(expected, sizeof expected, "\nPHP_LOG_LOST=%zu\n", n);
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, MESSAGE_ID(LOG_LOST)));
        assert_non_null(strstr(text, expected));
}

/* Nobody waits for it, or writes to standard error instead. Once it goes on, it is told what it lost. */
static void test_stopped_journal(void **state)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);
        size_t taken = 0;

        for (size_t i = 0; i < JOURNAL_MANY; i++)
                log_notice("line");
        (void) log_tell_lost(/* now= */ true);
        for (; journal_receive(fd, text, sizeof text); taken++)
                assert_non_null(strstr(text, "MESSAGE=line\n"));
        assert_true(taken > 0 && taken < JOURNAL_MANY);

        log_notice("again");
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, "MESSAGE=again\n"));
        expect_lost(fd, JOURNAL_MANY - taken);
        (void) log_tell_lost(/* now= */ true);
        assert_false(journal_receive(fd, text, sizeof text));
        assert_logged(*state, "");
        close_journal(fd, path);
}

/* What a process lost is its own, a child does not tell of it: every ten seconds, or at the end. */
static void test_lost_in_a_parent(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);
        size_t taken = 0;
        pid_t pid;

        for (size_t i = 0; i < JOURNAL_MANY; i++)
                log_notice("line");
        while (journal_receive(fd, text, sizeof text))
                taken++;

        pid = fork_child();
        if (pid == 0) {
                (void) log_tell_lost(/* now= */ true);
                log_notice("child");
                (void) log_tell_lost(/* now= */ true);
                _exit(0);
        }
        expect_exit(pid, 0);
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, "MESSAGE=child\n"));
        assert_false(journal_receive(fd, text, sizeof text));

        (void) log_tell_lost(/* now= */ false); /* it was told a moment ago, in the test before */
        assert_false(journal_receive(fd, text, sizeof text));
        (void) log_tell_lost(/* now= */ true);
        expect_lost(fd, JOURNAL_MANY - taken);
        close_journal(fd, path);
}

/* More than the queue of a socket in journald's place holds. */
#define ERRORS_MANY 10000

/* Each wait of an urgent record sets its time-out. */
static unsigned n_waits;

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
        n_waits += level == SOL_SOCKET && name == SO_SNDTIMEO;
        return (int) syscall(SYS_setsockopt, fd, level, name, value, size);
}

/* Takes records as journald does, from when the parent says until there is one of that text; counts them. */
static pid_t drain_until(int fd, int begin, const char *last)
{
        pid_t pid = fork_child();
        char text[1024], c;

        if (pid != 0)
                return pid;
        (void) !read(begin, &c, 1);
        for (struct pollfd p = { .fd = fd, .events = POLLIN }; poll(&p, 1, 30000) == 1;)
                if (journal_receive(fd, text, sizeof text) && strstr(text, last))
                        _exit(0);
        _exit(1);
}

/* An error that a full journal would lose waits until it takes it; what was lost is told right behind it. */
static void test_an_error_waits(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE];
        int fd = open_journal(path), begin[2];
        pid_t pid;

        assert_int_equal(pipe(begin), 0);
        n_waits = 0;
        log_begin_request();
        for (size_t i = 0; i < ERRORS_MANY; i++)
                log_notice("line");
        assert_int_equal(n_waits, 0); /* a notice never does */
        pid = drain_until(fd, begin[0], MESSAGE_ID(LOG_LOST));
        assert_int_equal(write(begin[1], "x", 1), 1);
        log_error("fatal");
        assert_true(n_waits <= 2);
        expect_exit(pid, 0);
        assert_true(log_tell_lost(/* now= */ false));
        fd_close(begin[0]);
        fd_close(begin[1]);
        close_journal(fd, path);
}

/* A journal that is stopped is waited for once, not by each error and not by each request. */
static void test_errors_for_a_stopped_journal(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);
        size_t taken = 0;

        n_waits = 0;
        for (size_t request = 0; request < 10; request++) {
                log_begin_request();
                for (size_t i = 0; i < ERRORS_MANY / 10; i++)
                        log_error("error");
                assert_false(log_tell_lost(/* now= */ true));
        }
        assert_int_equal(n_waits, 1);

        while (journal_receive(fd, text, sizeof text))
                taken++;
        assert_true(log_tell_lost(/* now= */ true));
        expect_lost(fd, ERRORS_MANY - taken);

        /* It has taken something: the next request's errors wait again. */
        log_begin_request();
        for (size_t i = 0; i < ERRORS_MANY; i++)
                log_error("error");
        assert_int_equal(n_waits, 2);
        while (journal_receive(fd, text, sizeof text))
                ;
        assert_true(log_tell_lost(/* now= */ true));
        close_journal(fd, path);
}

/* What a terminal acts on, or journalctl shows as "[5B blob data]". */
static void test_text_that_is_none(void **state)
{
        const LogField fields[] = { { "REQUEST_URI", "/caf\xe9" }, { "PHP_SCRIPT", "/\x1b[2J" }, {} };
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);

        log_record(LOG_WARNING, 0, NULL, fields, "caf\xe9\t\xc3\xa9\x07");
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, "MESSAGE=caf\\xE9\t\xc3\xa9\\x07\n"));
        assert_non_null(strstr(text, "\nREQUEST_URI=/caf\\xE9\n"));
        assert_non_null(strstr(text, "\nPHP_SCRIPT=/\\x1B[2J\n"));
        close_journal(fd, path);

        setenv("PHP_POOL_LOG", "stderr", true);
        log_open();
        log_warning("caf\xe9\r\n\x1b");
        assert_logged(*state, "php-pool: warning: caf\\xE9\n\\x1B\n");
}

static void test_without_a_journal(void **state)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);

        /* Not there any more; not there at all. */
        fd_close(fd);
        log_notice("refused");
        assert_int_equal(unlink(path), 0);
        log_error("gone\nfor good");
        assert_logged(*state, "<5>refused\n<3>gone\n<3>for good\n"); /* sd-daemon(3) */

        fd = open_journal(path);
        log_notice("here");
        assert_true(journal_receive(fd, text, sizeof text));
        assert_false(journal_receive(fd, text, sizeof text));
        close_journal(fd, path);
}

/* A stream that nobody reads, in standard error's place, is not waited for either. */
static void test_stderr_that_is_full(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path), pair[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(dup2(pair[0], STDERR_FILENO) >= 0);
        close_journal(fd, path);
        for (size_t i = 0; i < JOURNAL_MANY; i++)
                log_notice("line");

        fd = open_journal(path);
        (void) log_tell_lost(/* now= */ true);
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, MESSAGE_ID(LOG_LOST)));
        close_journal(fd, path);
        fd_close(pair[0]);
        fd_close(pair[1]);
}

/* A record that the stream took only half of is ended before the next one. */
static void test_stderr_that_takes_half(void **state _unused_)
{
        static char longest[LOG_MESSAGE_MAX], text[1 << 20];
        char path[JOURNAL_PATH_SIZE];
        int fd = open_journal(path), pair[2];
        ssize_t n;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
        assert_true(dup2(pair[0], STDERR_FILENO) >= 0);
        close_journal(fd, path);
        memset(longest, 'x', sizeof longest - 1);
        for (size_t i = 0; i < 100; i++)
                log_notice("%s", longest);
        while (read(pair[1], text, sizeof text) > 0)
                ;
        log_notice("behind");
        n = read(pair[1], text, sizeof text - 1);
        assert_true(n > 0);
        text[n] = 0;
        assert_string_equal(text, "\n<5>behind\n");

        fd = open_journal(path);
        (void) log_tell_lost(/* now= */ true);
        close_journal(fd, path);
        fd_close(pair[0]);
        fd_close(pair[1]);
}

/* Programs that a script starts do not have the socket. */
static void test_socket_is_close_on_exec(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE];
        int fd = open_journal(path), type;
        socklen_t size = sizeof type;

        for (int i = STDERR_FILENO + 1; i < 64; i++)
                if (getsockopt(i, SOL_SOCKET, SO_TYPE, &type, &size) == 0)
                        assert_true(fcntl(i, F_GETFD) & FD_CLOEXEC);
        close_journal(fd, path);
}

static void test_level_names(void **state _unused_)
{
        for (int level = LOG_EMERG; level <= LOG_DEBUG; level++)
                assert_non_null(log_level_to_string(level));
        assert_string_equal(log_level_to_string(LOG_ERR), "error");
        assert_null(log_level_to_string(-1));
        assert_null(log_level_to_string(LOG_DEBUG + 1));
        assert_string_equal(log_level_to_string(LOG_ALERT), "alert");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_text, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_levels, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_errno, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_long_message, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_fields, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_journal, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_long_journal_message, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_stopped_journal, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_lost_in_a_parent, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_an_error_waits, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_errors_for_a_stopped_journal, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_text_that_is_none, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_without_a_journal, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_stderr_that_is_full, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_stderr_that_takes_half, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_socket_is_close_on_exec, set_up, tear_down),
                cmocka_unit_test(test_level_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
