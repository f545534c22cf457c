/* SPDX-License-Identifier: MIT */

/* What a template inherits, as arguments: there and back, and everything that must be refused. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>

#include "ipc/exit-status.h"
#include "ipc/inherit.h"

#define FDS 10
#define FIRST INHERIT_ARGV_FIRST

/* Descriptors 0 to 9 of an array stand for open ones. */
static void open_fds(int *fds)
{
        for (size_t i = 0; i < FDS; i++) {
                fds[i] = open("/dev/null", O_RDONLY);
                assert_true(fds[i] >= 0);
        }
}

static void close_fds(int *fds)
{
        for (size_t i = 0; i < FDS; i++)
                fds[i] = fd_close(fds[i]);
}

static Inherit example(const int *fds)
{
        return (Inherit){
                .settings = fds[0],
                .scoreboard = fds[1],
                .channel = fds[2],
                .handoff = fds[3],
                .limit = fds[4],
                .wake = fds[5],
                .error = fds[6],
                .listen = { { .fd = fds[7] }, { .fd = fds[8] } },
                .n_listen = 2,
        };
}

static size_t count(char **argv)
{
        size_t n = 0;

        while (argv[n])
                n++;
        return n;
}

static void test_there_and_back(void **state _unused_)
{
        int fds[FDS], list[INHERIT_MAX];
        Inherit inherit, parsed;
        char text[32], **argv;

        open_fds(fds);
        inherit = example(fds);
        assert_int_equal(inherit_list(&inherit, list), INHERIT_NAMED + 2);
        for (size_t i = 0; i < INHERIT_NAMED + 2; i++)
                assert_int_equal(list[i], fds[i]);

        assert_int_equal(inherit_format(&inherit, "/usr/libexec/php-pool-worker", "www", &argv), 0);
        assert_int_equal(count(argv), FIRST + INHERIT_NAMED + 2);
        assert_string_equal(argv[0], "/usr/libexec/php-pool-worker");
        assert_string_equal(argv[1], "www");
        (void) snprintf(text, sizeof text, "settings=%d", fds[0]);
        assert_string_equal(argv[FIRST], text);
        (void) snprintf(text, sizeof text, "listen=fastcgi:%d", fds[8]);
        assert_string_equal(argv[FIRST + INHERIT_NAMED + 1], text);

        assert_int_equal(inherit_parse((int) count(argv) - FIRST, argv + FIRST, &parsed), 0);
        assert_int_equal(parsed.wake, fds[5]);
        assert_int_equal(parsed.n_listen, 2);
        assert_int_equal(parsed.error, fds[6]);
        assert_int_equal(parsed.listen[1].fd, fds[8]);
        assert_int_equal(parsed.listen[1].protocol, PROTOCOL_FASTCGI);
        for (size_t i = 0; i < INHERIT_NAMED + 2; i++)
                assert_int_equal(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        assert_int_equal(fcntl(fds[9], F_GETFD), 0);

        inherit_argv_free(argv);
        inherit_argv_free(NULL);
        close_fds(fds);
}

static void test_most_sockets(void **state _unused_)
{
        int fds[FDS], list[INHERIT_MAX];
        Inherit inherit, parsed;
        char **argv;

        open_fds(fds);
        inherit = example(fds);
        for (size_t i = 0; i < INHERIT_LISTEN_MAX; i++)
                inherit.listen[i].fd = fds[9];
        inherit.n_listen = INHERIT_LISTEN_MAX;
        assert_int_equal(inherit_list(&inherit, list), INHERIT_MAX);
        assert_int_equal(inherit_format(&inherit, "worker", "www", &argv), 0);
        assert_int_equal(inherit_parse((int) count(argv) - FIRST, argv + FIRST, &parsed), 0);
        assert_int_equal(parsed.n_listen, INHERIT_LISTEN_MAX);
        inherit_argv_free(argv);
        close_fds(fds);
}

/* Each case changes one argument of a good vector; %d is the number of an open descriptor. */
static void test_refused(void **state _unused_)
{
        static const struct {
                size_t place; /* 0 to INHERIT_NAMED + 1 */
                const char *argument;
                int error;
        } cases[] = {
                { 0, "", -EINVAL },
                { 0, "=%d", -EINVAL },
                { 0, "settings", -EINVAL },
                { 0, "settings=", -EINVAL },
                { 0, "settings=x", -EINVAL },
                { 0, "settings=-1", -EINVAL },
                { 0, "settings=%dx", -EINVAL },
                { 0, "setting=%d", -EINVAL },
                { 0, "settingss=%d", -EINVAL },
                { 0, "wake=%d", -EINVAL },   /* twice, and no settings */
                { 5, "listen=fastcgi:%d", -EINVAL }, /* no wake */
                { 8, "listen=%d", -EINVAL },
                { 8, "listen=", -EINVAL },
                { 8, "listen=fastcgi", -EINVAL },
                { 8, "listen=fastcgi:", -EINVAL },
                { 8, "listen=fastcgi:x", -EINVAL },
                { 8, "listen=fastcgi:-1", -EINVAL },
                { 8, "listen=:%d", -EPROTONOSUPPORT },
                { 8, "listen=http:%d", -EPROTONOSUPPORT },
                { 8, "listen=fastcg:%d", -EPROTONOSUPPORT },
                { 8, "listen=fastcgi2:%d", -EPROTONOSUPPORT },
                { 0, "settings=99999", -EBADF },
                { 8, "listen=fastcgi:99999", -EBADF },
                { 0, "settings=99999999999", -ERANGE },
        };
        Inherit inherit, parsed = { .n_listen = 99 };
        int fds[FDS];

        open_fds(fds);
        inherit = example(fds);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const char *mark = strstr(cases[i].argument, "%d");
                size_t n = mark ? (size_t) (mark - cases[i].argument) : 0;
                char argument[64], *kept, **argv;

                assert_int_equal(inherit_format(&inherit, "worker", "www", &argv), 0);
                (void) snprintf(argument, sizeof argument, "%s", cases[i].argument);
                if (mark)
                        (void) snprintf(argument + n, sizeof argument - n, "%d%s", fds[9], mark + 2);
                kept = argv[FIRST + cases[i].place];
                argv[FIRST + cases[i].place] = argument;
                assert_int_equal(inherit_parse(INHERIT_NAMED + 2, argv + FIRST, &parsed), cases[i].error);
                assert_int_equal(parsed.n_listen, 99);
                argv[FIRST + cases[i].place] = kept;
                inherit_argv_free(argv);
        }
        close_fds(fds);
}

static void test_missing(void **state _unused_)
{
        Inherit inherit, parsed;
        int fds[FDS];
        char **argv;

        open_fds(fds);
        inherit = example(fds);
        assert_int_equal(inherit_format(&inherit, "worker", "www", &argv), 0);
        assert_int_equal(inherit_parse(0, argv + FIRST, &parsed), -EINVAL);
        assert_int_equal(inherit_parse(INHERIT_NAMED, argv + FIRST, &parsed), -EINVAL); /* no socket */
        assert_int_equal(inherit_parse(INHERIT_NAMED + 1, argv + FIRST, &parsed), 0);
        assert_int_equal(inherit_parse(INHERIT_NAMED + 1, argv + FIRST + 1, &parsed),
                         -EINVAL); /* no settings */
        inherit_argv_free(argv);
        close_fds(fds);
}

static void test_too_many_sockets(void **state _unused_)
{
        Inherit inherit, parsed;
        int fds[FDS], n = 0;
        char *argv[INHERIT_NAMED + INHERIT_LISTEN_MAX + 1], **good;

        open_fds(fds);
        inherit = example(fds);
        assert_int_equal(inherit_format(&inherit, "worker", "www", &good), 0);
        while (n < (int) INHERIT_NAMED) {
                argv[n] = good[FIRST + n];
                n++;
        }
        while (n < (int) ELEMENTSOF(argv))
                argv[n++] = good[FIRST + INHERIT_NAMED];
        assert_int_equal(inherit_parse(n, argv, &parsed), -E2BIG);
        assert_int_equal(inherit_parse(n - 1, argv, &parsed), 0);
        inherit_argv_free(good);
        close_fds(fds);
}

/* Another build's manager is told from ours by what no build may change, see inherit.h. */
static void test_build(void **state _unused_)
{
        int fds[FDS], n;
        Inherit inherit;
        char **argv, *kept, shorter[128];

        assert_int_equal(EXIT_STATUS_OTHER_BUILD, 83);
        assert_int_equal(strlen(build_identity()), 64);

        open_fds(fds);
        inherit = example(fds);
        assert_int_equal(inherit_format(&inherit, "worker", "www", &argv), 0);
        n = (int) count(argv);
        assert_memory_equal(argv[2], "build=", strlen("build="));
        assert_string_equal(argv[2] + strlen("build="), build_identity());
        assert_true(inherit_is_same_build(n, argv));

        (void) snprintf(shorter, sizeof shorter, "%s", argv[2]);
        shorter[strlen(shorter) - 1] = 0;
        kept = argv[2];
        argv[2] = shorter;
        assert_false(inherit_is_same_build(n, argv));
        argv[2] = (char[]){ "build=" };
        assert_false(inherit_is_same_build(n, argv));
        argv[2] = argv[3];
        assert_false(inherit_is_same_build(n, argv));
        argv[2] = kept;
        for (int i = 0; i <= 2; i++)
                assert_false(inherit_is_same_build(i, argv));
        inherit_argv_free(argv);
        close_fds(fds);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_most_sockets),
                cmocka_unit_test(test_refused),        cmocka_unit_test(test_missing),
                cmocka_unit_test(test_too_many_sockets), cmocka_unit_test(test_build),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
