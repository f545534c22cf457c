/* SPDX-License-Identifier: MIT */

/* Which arguments of sendmail a script may pass: what applications pass, and what attackers do. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sendmail/arguments.h"

#define ARGUMENTS_MAX 10

typedef struct Case {
        const char *name;
        bool refused;
        const char *argv[ARGUMENTS_MAX];
} Case;

/* clang-format off */
static const Case cases[] = {
        /* what PHP and its applications pass */
        { "none", false, {} },
        { "PHP", false, { "-t", "-i" } },
        { "PHPMailer", false, { "-t", "-i", "-oi", "-fwww@example.com", "-t" } },
        { "WordPress", false, { "-t", "-i", "-fwordpress@example.com" } },
        { "Drupal", false, { "-t", "-i", "-fadmin+drupal@example.com" } },
        { "Symfony, SMTP", false, { "-bs" } },
        { "Symfony, -t", false, { "-t", "-i", "-fwww@example.com" } },
        { "Symfony, recipients", false, { "-i", "-fwww@example.com", "a@example.com", "b@example.com" } },
        { "Laravel", false, { "-bs", "-i" } },
        { "MediaWiki", false, { "-t", "-i", "-f", "wiki@example.com" } },
        { "Roundcube", false, { "-t", "-i", "-f", "user@example.com" } },
        { "mail(1)", false, { "-i", "-r", "www@example.com", "--", "a@example.com" } },
        { "cron", false, { "-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t" } },
        { "mutt", false, { "-oem", "-oi", "-f", "me@example.com", "-N", "delay", "-R", "hdrs", "--", "a" } },
        { "git", false, { "-i", "a@example.com" } },
        { "dsn", false, { "-Nnever", "-Rfull", "-V", "id-1", "-B8BITMIME", "-h", "17" } },
        { "msmtp", false, { "-t", "--read-envelope-from", "-a", "shop" } },
        { "Sendmail", false, { "-ODeliveryMode=b", "-O", "DeliveryMode=queueonly", "-Am" } },
        { "a name", false, { "-F", "Jürgen <b> \"x\" $(id)", "-t" } },
        { "no sender", false, { "-f", "", "a@example.com" } },
        { "null sender", false, { "-f<>", "a@example.com" } },
        { "like a file", false, { "/etc/passwd", "|/bin/sh" } },

        /* what runs programs, reads or writes files, or is not a message */
        { "expansion", true, { "-be", "${run{/bin/id}}" } },
        { "Exim's files", true, { "-bem", "/etc/shadow" } },
        { "test", true, { "-bt", "a" } },
        { "batch", true, { "-bS" } },
        { "print", true, { "-bP" } },
        { "configuration", true, { "-C", "/tmp/x" } },
        { "configuration, joined", true, { "-C/tmp/x" } },
        { "macro", true, { "-Dx=y" } },
        { "log", true, { "-X/var/www/shell.php" } },
        { "queue", true, { "-oQ/tmp" } },
        { "queue, option", true, { "-OQueueDirectory=/tmp" } },
        { "queue, separate", true, { "-O", "QueueDirectory=/tmp" } },
        { "mode of another", true, { "-ODeliveryMode=b,QueueDirectory=/tmp" } },
        { "aliases", true, { "-oA/tmp/x" } },
        { "new aliases", true, { "-bi" } },
        { "new aliases, Postfix", true, { "-I" } },
        { "daemon", true, { "-bd" } },
        { "mailq", true, { "-bp" } },
        { "queue run", true, { "-q" } },
        { "queue run of a host", true, { "-Rff" } },
        { "queue run, separate", true, { "-R", "example.com" } },
        { "message", true, { "-Mvb", "1xWsuH-0000DK-2f" } },
        { "Perl", true, { "-ps" } },
        { "protocol", true, { "-oMr", "local" } },
        { "debug", true, { "-d+all" } },
        { "verbose", true, { "-v" } },
        { "label", true, { "-L", "sshd" } },
        { "command", true, { "--passwordeval=id" } },
        { "file", true, { "--file=/tmp/x" } },
        { "log file", true, { "--logfile=/tmp/x" } },
        { "server", true, { "--host=example.com" } },
        { "long", true, { "--read-envelope-from=x" } },
        { "cluster", true, { "-tbe" } },
        { "flag with more", true, { "-tX/tmp/x" } },
        { "mode with more", true, { "-bsX" } },

        /* what one sendmail reads differently from another */
        { "option for a value", true, { "-f", "-be" } },
        { "option in a value", true, { "-f-be" } },
        { "option for a name", true, { "-F", "-C/tmp/x" } },
        { "option behind --", true, { "--", "-be" } },
        { "dash", true, { "-" } },
        { "no value", true, { "-t", "-f" } },
        { "wrong number", true, { "-h", "1x" } },
        { "wrong condition", true, { "-N", "success,-be" } },
        { "wrong part", true, { "-R", "" } },
        { "wrong account", true, { "-a", "../../x" } },
        { "new line", true, { "-f", "a\n-be" } },
        { "control", true, { "a\x1b[2J" } },
        { "later", true, { "-t", "a@example.com", "-C/tmp/x" } },
};
/* clang-format on */

static void test_cases(void **state)
{
        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *argv[ARGUMENTS_MAX + 3] = {};
                char reason[MAIL_REASON_MAX] = "";
                bool refused;

                memcpy(argv, cases[i].argv, sizeof cases[i].argv);
                refused = arguments_refuse((char *const *) argv, reason);
                if (refused != cases[i].refused)
                        fail_msg("%s: %s", cases[i].name, refused ? reason : "not refused");
                assert_true(!refused || reason[strlen(reason) - 1] == '.');
        }
}

static void test_long_ones(void **state)
{
        char longest[MAIL_ARGUMENT_MAX + 2], reason[MAIL_REASON_MAX];
        char *recipient[] = { longest, NULL }, *sender[] = { (char *) "-f", longest, NULL };

        (void) state;
        memset(longest, 'a', sizeof longest);
        longest[MAIL_ARGUMENT_MAX] = 0;
        assert_false(arguments_refuse(recipient, reason));
        assert_false(arguments_refuse(sender, reason));
        longest[MAIL_ARGUMENT_MAX] = 'a';
        longest[MAIL_ARGUMENT_MAX + 1] = 0;
        assert_true(arguments_refuse(recipient, reason));
        assert_true(arguments_refuse(sender, reason));
}

/* The reason goes to a terminal and to the journal. */
static void test_what_is_shown(void **state)
{
        char *argv[] = { (char *) "-\x1b]0;x\x07\xff", NULL };
        char reason[MAIL_REASON_MAX];

        (void) state;
        assert_true(arguments_refuse(argv, reason));
        assert_string_equal(reason, "sendmail's argument \"-?]0;x??\" has a control character.");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_long_ones),
                cmocka_unit_test(test_what_is_shown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
