/* SPDX-License-Identifier: MIT */

/* What a pool may be called, and the paths of its sockets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "ipc/names.h"

#define TEN "0123456789"
#define SIXTY TEN TEN TEN TEN TEN TEN

static const char *const good[] = {
        "www",
        "a",
        "0",
        "_",
        "a.b",
        "a-b",
        "shop.example.com",
        "x.y_z-1",
        SIXTY "1234",
        /* only the end counts, and paths tell capitals from small letters */
        "x.status.example",
        "x.sock.example",
        "x.STATUS",
        "x.Sock",
        "xstatus",
        "x-control",
        "x_http",
        "x.http2",
        "status",
        "control",
        "agent",
        "http",
        "sock",
        "sendmail",
};

static const char *const bad[] = {
        "",
        ".",
        "..",
        ".www",
        "-www",
        "a/b",
        "../x",
        "a b",
        "a\n",
        "a\x1b[31m",
        "ä",
        "a%b",
        "a@b",
        "a:b",
        "a\\b",
        SIXTY "12345",
        "x.sock",
        "x.http",
        "x.status",
        "x.agent",
        "x.control",
        "x.http.sock",
        "x.status.sock",
        "x.agent.sock",
        "x.control.sock",
        "x.status.status",
        "x.sock.sock",
        ".status",
        ".sock",
};

static void test_good(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                if (pool_name_error(good[i]))
                        fail_msg("%s: %s", good[i], pool_name_error(good[i]));
}

static void test_bad(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(bad); i++)
                if (pool_name_valid(bad[i]))
                        fail_msg("%s is a good name", bad[i]);
}

static void test_paths(void **state _unused_)
{
        static const struct {
                PoolSocket socket;
                const char *name, *path;
        } cases[] = {
                { POOL_SOCKET_FASTCGI, "fastcgi", "/run/php-pool/www.sock" },
                { POOL_SOCKET_HTTP, "http", "/run/php-pool/www.http.sock" },
                { POOL_SOCKET_STATUS, "status", "/run/php-pool/www.status.sock" },
                { POOL_SOCKET_AGENT, "agent", "/run/php-pool/www.agent.sock" },
                { POOL_SOCKET_CONTROL, "control", "/run/php-pool/www.control.sock" },
        };

        assert_int_equal(ELEMENTSOF(cases), _POOL_SOCKET_MAX);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(freep) char *path = NULL;

                assert_string_equal(pool_socket_name(cases[i].socket), cases[i].name);
                assert_int_equal(pool_socket_path("www", cases[i].socket, &path), 0);
                assert_string_equal(path, cases[i].path);
        }
}

/* Whatever two pools are called: no socket of one has the path of a socket of the other. */
static void test_no_two_pools_share_a_path(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(good); i++)
                for (PoolSocket a = 0; a < _POOL_SOCKET_MAX; a++) {
                        _cleanup_(freep) char *path = NULL;
                        char *file;

                        assert_int_equal(pool_socket_path(good[i], a, &path), 0);
                        file = strrchr(path, '/') + 1;
                        for (PoolSocket b = 0; b < _POOL_SOCKET_MAX; b++) {
                                _cleanup_(freep) char *pool = pool_of_socket(file, b);

                                if (a == b)
                                        assert_string_equal(pool, good[i]);
                                else
                                        assert_null(pool);
                        }
                }
}

static void test_no_socket(void **state _unused_)
{
        static const char *const files[] = { "",
                                             "control",
                                             ".control.sock",
                                             "www.sock",
                                             "www.control",
                                             "-.control.sock",
                                             "x.status.control.sock",
                                             "a\nb.control.sock" };

        for (size_t i = 0; i < ELEMENTSOF(files); i++)
                assert_null(pool_of_socket(files[i], POOL_SOCKET_CONTROL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),      cmocka_unit_test(test_bad),
                cmocka_unit_test(test_paths),     cmocka_unit_test(test_no_two_pools_share_a_path),
                cmocka_unit_test(test_no_socket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
