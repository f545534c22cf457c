/* SPDX-License-Identifier: MIT */

/* The log as text on standard error: what is written, what is dropped, what is returned. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"

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

/* Fields are for the journal; more than fit are left out. */
static void test_fields(void **state)
{
        LogField fields[LOG_FIELDS_MAX + 8] = {};

        for (size_t i = 0; i < ELEMENTSOF(fields) - 1; i++)
                fields[i] = (LogField) { "PHP_POOL_TEST", i == 1 ? NULL : "value" };
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
                cmocka_unit_test(test_level_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
