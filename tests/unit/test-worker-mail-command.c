/* SPDX-License-Identifier: MIT */

/* Where sendmail_path names a sendmail. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "worker/request/mail-command.h"

static const struct {
        const char *command, *result;
} cases[] = {
        { "/usr/sbin/sendmail -t -i", "C -t -i" },
        { "/usr/sbin/sendmail", "C" },
        { "/usr/lib/sendmail -t", "C -t" },
        { "/usr/bin/sendmail -t", "C -t" },
        { "/sbin/sendmail -t", "C -t" },
        { "sendmail -t", "C -t" },
        { " sendmail -t", " C -t" },
        { "\"/usr/sbin/sendmail\" -t -f \"a b\"", "\"C\" -t -f \"a b\"" },
        { "'/usr/sbin/sendmail' -t", "'C' -t" },
        { "/usr/bin/env -i /usr/sbin/sendmail -t -i", "/usr/bin/env -i C -t -i" },
        { "/usr/sbin/sendmail -t -f www@example.com 2>/dev/null", "C -t -f www@example.com 2>/dev/null" },
        { "tee -a /tmp/log|/usr/sbin/sendmail -t", "tee -a /tmp/log|C -t" },
        { "", NULL },
        { "/usr/bin/msmtp -t", NULL },
        { "/usr/bin/msmtp --read-envelope-from -t -a sendmail", NULL },
        { "/opt/mail/sendmail -t", NULL },
        { "./sendmail -t", NULL },
        { "/usr/sbin/sendmail.postfix -t", NULL },
        { "/usr/sbin/sendmailx -t", NULL },
        { "/srv/log --then=/usr/sbin/sendmail", NULL },
        { "/usr/libexec/php-pool/php-pool-sendmail -t", NULL },
        { "/usr/sbin/exim4 -t", NULL },
};

static void test_cases(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *result = NULL;

                assert_int_equal(mail_command(cases[i].command, "C", &result), 0);
                if (cases[i].result) {
                        assert_non_null(result);
                        assert_string_equal(result, cases[i].result);
                } else
                        assert_null(result);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
