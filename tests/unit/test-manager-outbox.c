/* SPDX-License-Identifier: MIT */

/* What a client has not taken: it leaves in order and whole, and takes no memory once it has. */

#include "helpers/unit.h"

#include <sys/socket.h>

#include "base/fd.h"
#include "helpers/fds.h"
#include "manager/face/outbox.h"

#define LARGE (4U * 1024U * 1024U)

static void test_in_order(void **state _unused_)
{
        Outbox o = {};
        int pair[2];
        char got[8];

        open_stream(pair);
        assert_int_equal(outbox_pending(&o), 0);
        assert_int_equal(outbox_append(&o, "abc", 3), 0);
        memcpy(outbox_extend(&o, 2), "de", 2);
        assert_int_equal(outbox_pending(&o), 5);
        assert_int_equal(outbox_send(&o, pair[0]), 1);
        assert_int_equal(recv(pair[1], got, sizeof got, MSG_DONTWAIT), 5);
        assert_memory_equal(got, "abcde", 5);
        assert_int_equal(outbox_pending(&o), 0);
        assert_null(o.bytes);
        close_pair(pair);
}

/* It goes on where it was, also with what was added meanwhile. */
static void test_piece_by_piece(void **state _unused_)
{
        static char buffer[65536];
        size_t received = 0;
        Outbox o = {};
        int pair[2], r;
        ssize_t n;

        open_stream(pair);
        memset(outbox_extend(&o, LARGE), 'x', LARGE);
        assert_int_equal(outbox_send(&o, pair[0]), 0);
        assert_true(outbox_pending(&o) > 0 && outbox_pending(&o) < LARGE);
        assert_int_equal(outbox_append(&o, "y", 1), 0);
        do {
                r = outbox_send(&o, pair[0]);
                while ((n = recv(pair[1], buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
                        received += (size_t) n;
                        assert_int_equal(buffer[0], 'x');
                        assert_int_equal(buffer[n - 1], received > LARGE ? 'y' : 'x');
                }
        } while (r == 0);
        assert_int_equal(r, 1);
        assert_int_equal(received, LARGE + 1);
        close_pair(pair);
}

static void test_client_gone(void **state _unused_)
{
        Outbox o = {};
        int pair[2];

        open_stream(pair);
        pair[1] = fd_close(pair[1]);
        assert_int_equal(outbox_send(&o, pair[0]), 1); /* there is nothing to send */
        assert_int_equal(outbox_append(&o, "x", 1), 0);
        assert_int_equal(outbox_send(&o, pair[0]), -EPIPE);
        assert_int_equal(outbox_pending(&o), 1);
        outbox_clear(&o);
        assert_int_equal(outbox_pending(&o), 0);
        close_pair(pair);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_order),
                cmocka_unit_test(test_piece_by_piece),
                cmocka_unit_test(test_client_gone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
