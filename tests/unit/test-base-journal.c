/* SPDX-License-Identifier: MIT */

/* journald's protocol: what a record looks like, and that nobody waits for a journal that takes none. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/journal.h"
#include "helpers/child.h"
#include "helpers/journal.h"

static JournalRecord record;

static void test_fields(void **state _unused_)
{
        static const char expected[] = "MESSAGE=hello\nEMPTY=\nTWO\n\3\0\0\0\0\0\0\0a\nb\n"
                                       "PHP_POOL=www\nCUT=ab\n";

        record.size = 0;
        journal_record_add(&record, "MESSAGE", "hello", 5);
        journal_record_add(&record, "EMPTY", "", 0);
        journal_record_add(&record, "TWO", "a\nb", 3);
        journal_record_add_pair(&record, "PHP_POOL=www");
        journal_record_add(&record, "CUT", "abc", 2);
        assert_int_equal(record.size, sizeof expected - 1);
        assert_memory_equal(record.bytes, expected, record.size);
}

/* What does not fit is left out, and what comes behind it is not. */
static void test_too_long(void **state _unused_)
{
        static char value[JOURNAL_RECORD_MAX];

        memset(value, 'x', sizeof value);
        record.size = 0;
        journal_record_add(&record, "A", value, sizeof value);
        journal_record_add(&record, "A", value, SIZE_MAX);
        assert_int_equal(record.size, 0);
        journal_record_add(&record, "A", value, sizeof value - 11);
        assert_int_equal(record.size, sizeof value - 11 + 3);
        journal_record_add_pair(&record, "NAME=value");
        assert_int_equal(record.size, sizeof value - 11 + 3);
        journal_record_add_pair(&record, "B=1");
        assert_int_equal(record.size, sizeof value - 11 + 3 + 4);
}

static void test_send(void **state _unused_)
{
        char path[JOURNAL_PATH_SIZE], received[64];
        int journal, fd = journal_open(), r = 0;
        pid_t child;

        (void) snprintf(path, sizeof path, "/tmp/php-pool-test-journal-%d", getpid());
        journal = journal_bind(path);
        assert_true(fd >= 0);
        record.size = 0;
        journal_record_add(&record, "MESSAGE", "hello", 5);
        assert_int_equal(journal_send(fd, path, &record, 0), 0);
        assert_int_equal(recv(journal, received, sizeof received, 0), record.size);
        assert_memory_equal(received, "MESSAGE=hello\n", record.size);

        /* It takes no more: this returns, and says so. */
        for (size_t i = 0; i < JOURNAL_MANY && r == 0; i++)
                r = journal_send(fd, path, &record, 0);
        assert_int_equal(r, -EAGAIN);
        assert_int_equal(recv(journal, received, sizeof received, 0), record.size);
        assert_int_equal(journal_send(fd, path, &record, 0), 0);

        /* Unless there is time; which may be up. */
        r = 0;
        for (size_t i = 0; i < JOURNAL_MANY && r == 0; i++)
                r = journal_send(fd, path, &record, 0);
        assert_int_equal(journal_send(fd, path, &record, 10 * USEC_PER_MSEC), -EAGAIN);
        assert_int_equal(journal_send(fd, path, &record, 1), -EAGAIN);
        child = fork_child();
        if (child == 0)
                _exit(recv(journal, received, sizeof received, 0) == (ssize_t) record.size ? 0 : 1);
        assert_int_equal(journal_send(fd, path, &record, 30 * USEC_PER_SEC), 0);
        expect_exit(child, 0);

        /* It is gone. */
        fd_close(journal);
        assert_int_equal(journal_send(fd, path, &record, 0), -ECONNREFUSED);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(journal_send(fd, path, &record, 0), -ENOENT);

        /* It is there again. */
        journal = journal_bind(path);
        assert_int_equal(journal_send(fd, path, &record, 0), 0);
        fd_close(journal);
        (void) unlink(path);
        fd_close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_send),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
