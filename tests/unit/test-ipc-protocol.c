/* SPDX-License-Identifier: MIT */

/* Protocols by their names: both ways, and nothing else. */

#include "helpers/unit.h"

#include "ipc/names.h"
#include "ipc/protocol.h"

static void test_names(void **state _unused_)
{
        assert_string_equal(protocol_name(PROTOCOL_FASTCGI), "fastcgi");
        assert_string_equal(protocol_stored_name(PROTOCOL_FASTCGI), "parked"); /* for ever */

        for (Protocol i = 0; i < _PROTOCOL_MAX; i++) {
                const char *name = protocol_name(i), *stored = protocol_stored_name(i);
                Protocol found = _PROTOCOL_MAX;

                assert_int_equal(protocol_from_name(name, strlen(name), &found), 0);
                assert_int_equal(found, i);
                found = _PROTOCOL_MAX;
                assert_int_equal(protocol_from_stored_name(stored, &found), 0);
                assert_int_equal(found, i);
                assert_int_equal(protocol_from_name(stored, strlen(stored), &found), -EPROTONOSUPPORT);
                /* No socket unit can be taken for a connection of the store. */
                for (PoolSocket s = 0; s < _POOL_SOCKET_MAX; s++)
                        assert_string_not_equal(pool_socket_name(s), stored);
        }
}

static void test_unknown(void **state _unused_)
{
        static const char *const names[] = { "", "fastcg", "fastcgi2", "FASTCGI", "status", "fastcgi " };
        Protocol found = _PROTOCOL_MAX;

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                assert_int_equal(protocol_from_name(names[i], strlen(names[i]), &found), -EPROTONOSUPPORT);
                assert_int_equal(protocol_from_stored_name(names[i], &found), -EPROTONOSUPPORT);
        }
        assert_int_equal(protocol_from_name("fastcgi:8", strlen("fastcgi"), &found), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_unknown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
