/* SPDX-License-Identifier: MIT */

/*
 * The log as text on standard error, and in the journal: what is written, what is dropped, what is returned,
 * and that nobody waits for a journal that takes no record.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/messages.h"

#include "journal-helpers.h"

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
        log_tell_lost(/* last= */ true);
        for (; journal_receive(fd, text, sizeof text); taken++)
                assert_non_null(strstr(text, "MESSAGE=line\n"));
        assert_true(taken > 0 && taken < JOURNAL_MANY);

        log_notice("again");
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, "MESSAGE=again\n"));
        expect_lost(fd, JOURNAL_MANY - taken);
        log_tell_lost(/* last= */ true);
        assert_false(journal_receive(fd, text, sizeof text));
        assert_logged(*state, "");
        close_journal(fd, path);
}

/* What a process lost is its own, a child does not tell of it: every ten seconds, or at the end. */
static void test_lost_in_a_parent(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path), status;
        size_t taken = 0;
        pid_t pid;

        for (size_t i = 0; i < JOURNAL_MANY; i++)
                log_notice("line");
        while (journal_receive(fd, text, sizeof text))
                taken++;

        pid = fork();
        if (pid == 0) {
                log_tell_lost(/* last= */ true);
                log_notice("child");
                log_tell_lost(/* last= */ true);
                _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, "MESSAGE=child\n"));
        assert_false(journal_receive(fd, text, sizeof text));

        log_tell_lost(/* last= */ false); /* it was told a moment ago, in the test before */
        assert_false(journal_receive(fd, text, sizeof text));
        log_tell_lost(/* last= */ true);
        expect_lost(fd, JOURNAL_MANY - taken);
        close_journal(fd, path);
}

static void test_without_a_journal(void **state)
{
        char path[JOURNAL_PATH_SIZE], text[1024];
        int fd = open_journal(path);

        /* Not there any more; not there at all. */
        fd_close(fd);
        log_notice("refused");
        assert_int_equal(unlink(path), 0);
        log_notice("gone");
        assert_logged(*state, "php-pool: notice: refused\nphp-pool: notice: gone\n");

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
        log_tell_lost(/* last= */ true);
        assert_true(journal_receive(fd, text, sizeof text));
        assert_non_null(strstr(text, MESSAGE_ID(LOG_LOST)));
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
                assert_int_equal(log_level_from_string(log_level_to_string(level)), level);
        assert_string_equal(log_level_to_string(LOG_ERR), "error");
        assert_null(log_level_to_string(-1));
        assert_null(log_level_to_string(LOG_DEBUG + 1));
        assert_int_equal(log_level_from_string("alert"), LOG_ALERT);
        assert_int_equal(log_level_from_string(""), -EINVAL);
        assert_int_equal(log_level_from_string("Notice"), -EINVAL);
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
                cmocka_unit_test_setup_teardown(test_without_a_journal, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_stderr_that_is_full, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_socket_is_close_on_exec, set_up, tear_down),
                cmocka_unit_test(test_level_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
