/* SPDX-License-Identifier: MIT */

/* What a unit's directives make of a path. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "ctl/sandbox.h"

/* As php-pool@.service has it. */
#define DEFAULT                                                                                             \
        "ProtectSystem=full\nProtectHome=read-only\nRuntimeDirectory=php-pool/%i\nLogsDirectory=php-pool/"  \
        "%i\n"                                                                                              \
        "BindPaths=/var/cache/php-pool/%i/tmp:/tmp /var/cache/php-pool/%i/var-tmp:/var/tmp\n"

static const struct {
        const char *unit, *path;
        SandboxVerdict verdict;
        const char *by, *there;
} cases[] = {
        { "", "/usr/x", SANDBOX_OPEN, "", "" },
        { DEFAULT, "/srv/x", SANDBOX_OPEN, "", "" },
        { DEFAULT, "/var/lib/php/sessions", SANDBOX_OPEN, "", "" },
        { DEFAULT, "/usr/share/x", SANDBOX_READ_ONLY, "/usr", "" },
        { DEFAULT, "/usr", SANDBOX_READ_ONLY, "/usr", "" },
        { DEFAULT, "/usrx", SANDBOX_OPEN, "", "" },
        { DEFAULT, "/etc/x", SANDBOX_READ_ONLY, "/etc", "" },
        { DEFAULT, "/boot/x", SANDBOX_READ_ONLY, "/boot", "" },
        { DEFAULT, "/home/a/x", SANDBOX_READ_ONLY, "/home", "" },
        { DEFAULT, "/root/x", SANDBOX_READ_ONLY, "/root", "" },
        { DEFAULT, "/run/user/1", SANDBOX_READ_ONLY, "/run/user", "" },
        { DEFAULT, "/tmp", SANDBOX_OWN, "/tmp", "/var/cache/php-pool/www/tmp" },
        { DEFAULT, "/var/tmp/x", SANDBOX_OWN, "/var/tmp", "/var/cache/php-pool/www/var-tmp" },
        { DEFAULT "BindPaths=\n", "/tmp/x", SANDBOX_OPEN, "", "" },
        { DEFAULT "BindPaths=\nPrivateTmp=yes\n", "/tmp/x", SANDBOX_OWN, "/tmp", "" },
        { DEFAULT "ReadWritePaths=/home/a\n", "/home/a/x", SANDBOX_OPEN, "/home/a", "" },
        { DEFAULT "ReadWritePaths=/home/a\n", "/home/ab/x", SANDBOX_READ_ONLY, "/home", "" },
        { DEFAULT "ReadWritePaths=-/home/a/ /etc/%i\n", "/etc/www/x", SANDBOX_OPEN, "/etc/www", "" },
        { DEFAULT "ReadWritePaths=\"/home/a b\"\n", "/home/a b/x", SANDBOX_OPEN, "/home/a b", "" },
        { DEFAULT "ReadWritePaths=/home\nReadOnlyPaths=/home/a\n", "/home/a/x", SANDBOX_READ_ONLY, "/home/a",
          "" },
        { DEFAULT "ReadWritePaths=/srv\nReadWritePaths=\n", "/home/a", SANDBOX_READ_ONLY, "/home", "" },
        { DEFAULT "ProtectHome=no\n", "/home/a", SANDBOX_OPEN, "", "" },
        { DEFAULT "ProtectHome=yes\n", "/home/a", SANDBOX_HIDDEN, "/home", "" },
        { DEFAULT "ProtectHome=tmpfs\n", "/home/a", SANDBOX_HIDDEN, "/home", "" },
        { DEFAULT "ProtectHome=yes\nBindPaths=/home/a\n", "/home/a/x", SANDBOX_OPEN, "/home/a", "" },
        { DEFAULT "ProtectSystem=no\n", "/etc/x", SANDBOX_OPEN, "", "" },
        { DEFAULT "ProtectSystem=yes\n", "/etc/x", SANDBOX_OPEN, "", "" },
        { DEFAULT "ProtectSystem=yes\n", "/usr/x", SANDBOX_READ_ONLY, "/usr", "" },
        { DEFAULT "ProtectSystem=strict\n", "/srv/x", SANDBOX_READ_ONLY, "/", "" },
        { DEFAULT "ProtectSystem=strict\n", "/dev/shm/x", SANDBOX_OPEN, "/dev", "" },
        { DEFAULT "ProtectSystem=strict\n", "/var/log/php-pool/www/a.log", SANDBOX_OPEN,
          "/var/log/php-pool/www", "" },
        { DEFAULT "InaccessiblePaths=/srv/b\n", "/srv/b/x", SANDBOX_HIDDEN, "/srv/b", "" },
        { DEFAULT "BindPaths=/a:/srv/c:rbind\n", "/srv/c/x", SANDBOX_OWN, "/srv/c", "/a" },
        { DEFAULT "BindReadOnlyPaths=/a:/srv/c\n", "/srv/c/x", SANDBOX_ELSEWHERE, "/srv/c", "" },
        { DEFAULT "TemporaryFileSystem=/srv:ro\n", "/srv/c/x", SANDBOX_ELSEWHERE, "/srv", "" },
        { DEFAULT "TemporaryFileSystem=/srv:ro\nBindPaths=/srv/c\n", "/srv/c/x", SANDBOX_OPEN, "/srv/c",
          "" },
        { DEFAULT "RootDirectory=/srv/jail\n", "/etc/x", SANDBOX_ELSEWHERE, "/etc/x", "" },
};

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(unit_file_freep) UnitFile *unit = NULL;
                _cleanup_(freep) char *text = NULL;
                Sandbox sandbox;

                assert_true(asprintf(&text, "[Service]\n%s", cases[i].unit) > 0);
                assert_int_equal(unit_file_new("php-pool@www.service", &unit), 0);
                assert_int_equal(unit_file_parse(unit, "f", text, false), 0);
                assert_int_equal(sandbox_judge(unit, "www", cases[i].path, &sandbox), 0);
                if (sandbox.verdict != cases[i].verdict || !streq(sandbox.by, cases[i].by) ||
                    !streq(sandbox.there, cases[i].there))
                        fail_msg("%s of\n%s is %d by \"%s\" (%s)", cases[i].path, cases[i].unit,
                                 (int) sandbox.verdict, sandbox.by, sandbox.there);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
