/* SPDX-License-Identifier: MIT */

/* What looks as if the sandbox had refused it: PHP's texts, in two languages, and how programs end. */

#include <locale.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "worker/request/refusal.h"

static const struct {
        const char *message;
        Refusal refusal;
} message_cases[] = {
        { "mkdir(): Read-only file system", REFUSAL_PROBABLE },
        { "fopen(/home/x): Failed to open stream: Read-only file system", REFUSAL_PROBABLE },
        { "touch(): Unable to create file /usr/x because Read-only file system", REFUSAL_PROBABLE },
        { "rename(/tmp/a,/etc/b): Read-only file system", REFUSAL_PROBABLE },
        { "session_start(): open(/etc/sess_x, O_RDWR) failed: Read-only file system (30)",
          REFUSAL_PROBABLE },
        { "include(/root/x): Failed to open stream: Permission denied", REFUSAL_POSSIBLE },
        { "stream_socket_client(): Unable to connect to unix:///run/x (Permission denied)",
          REFUSAL_POSSIBLE },
        { "shmop_open(): Unable to attach or create shared memory segment \"Permission denied\"",
          REFUSAL_POSSIBLE },
        { "mysqli::__construct(): (HY000/2002): Operation not permitted", REFUSAL_POSSIBLE },
        { "session_start(): open(/x, O_RDWR) failed: Permission denied (13)", REFUSAL_POSSIBLE },
        { "chmod(): Operation not permitted\n", REFUSAL_POSSIBLE },
        { "Operation not permitted", REFUSAL_POSSIBLE },

        { "", REFUSAL_NONE },
        { " ", REFUSAL_NONE },
        { "(13)", REFUSAL_NONE },
        { " (13)", REFUSAL_NONE },
        { "13", REFUSAL_NONE },
        { "\"').", REFUSAL_NONE },
        { "fopen(/x): Failed to open stream: No such file or directory", REFUSAL_NONE },
        { "Permission denied for user x", REFUSAL_NONE },
        { "fopen(Permission denied): Failed to open stream: No such file or directory", REFUSAL_NONE },
        { "Read-only file syste", REFUSAL_NONE },
};

static void test_messages(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(message_cases); i++) {
                const char *message = message_cases[i].message;

                if (refusal_of_message(message, strlen(message)) != message_cases[i].refusal)
                        fail_msg("\"%s\"", message);
        }
}

/* Whatever the language is, PHP's text is the C library's: both are of now. */
static void test_locale(void **state)
{
        static const int errors[] = { EROFS, EPERM, EACCES };

        (void) state;
        (void) setlocale(LC_ALL, "de_DE.UTF-8"); /* where there is none, it is the C locale again */
        for (size_t i = 0; i < ELEMENTSOF(errors); i++) {
                char message[256];

                (void) snprintf(message, sizeof message, "mkdir(): %s", strerror(errors[i]));
                assert_int_not_equal(refusal_of_message(message, strlen(message)), REFUSAL_NONE);
        }
        test_messages(NULL);
        (void) setlocale(LC_ALL, "C");
}

/* Of a status as wait(2) has it: an exit status, or a signal. */
static void test_statuses(void **state)
{
        (void) state;
        assert_int_equal(refusal_of_status(SIGSYS), REFUSAL_PROBABLE);
        assert_int_equal(refusal_of_status(SIGSYS | 0x80), REFUSAL_PROBABLE); /* with a core dump */
        assert_int_equal(refusal_of_status((128 + SIGSYS) << 8), REFUSAL_PROBABLE);
        assert_int_equal(refusal_of_status(0), REFUSAL_NONE);
        assert_int_equal(refusal_of_status(1 << 8), REFUSAL_NONE);
        assert_int_equal(refusal_of_status(SIGSYS << 8), REFUSAL_NONE);
        assert_int_equal(refusal_of_status(SIGKILL), REFUSAL_NONE);
        assert_int_equal(refusal_of_status((SIGSYS << 8) | 0x7f), REFUSAL_NONE); /* stopped */
        assert_int_equal(refusal_of_status(0xffff), REFUSAL_NONE);               /* continued */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_messages),
                cmocka_unit_test(test_locale),
                cmocka_unit_test(test_statuses),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
