/* SPDX-License-Identifier: MIT */

/* The table of what is parked: who is where, who is next, and that nothing stays open. */

#include "helpers/unit.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "helpers/child.h"
#include "helpers/fds.h"
#include "helpers/handoff.h"
#include "manager/traffic/lot.h"

#define FEW 40
#define ABORTED 77

static int open_null(void)
{
        int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        return fd;
}

static int put(Lot *lot, Place place)
{
        const Origin origin = { .head = open_null(), .moves = 1, .deadline = 1 };
        int fd = open_null();

        assert_int_equal(lot_reserve(lot, fd), 0);
        lot_put(lot, fd, &origin, 4096, place);
        return fd;
}

static void test_places(void **state _unused_)
{
        size_t before = count_fds();
        Lot lot = LOT_EMPTY;
        int fd;

        assert_int_equal(lot_place(&lot, -EBADF), PLACE_NONE);
        assert_int_equal(lot_place(&lot, 3), PLACE_NONE);

        fd = put(&lot, PLACE_RESTING);
        assert_int_equal(lot.count, 1);
        assert_int_equal(lot_place(&lot, fd), PLACE_RESTING);
        assert_int_equal(lot_get(&lot, fd)->head_size, 4096);
        lot_set_place(&lot, fd, PLACE_WATCHED);
        assert_int_equal(lot_place(&lot, fd), PLACE_WATCHED);
        assert_int_equal(lot.n_ready, 0);
        lot_set_place(&lot, fd, PLACE_READY);
        assert_int_equal(lot.n_ready, 1);
        assert_int_equal(lot.ready_first, fd);
        assert_int_equal(lot.count, 1);
        lot_drop(&lot, fd);
        assert_int_equal(lot.count, 0);
        assert_int_equal(lot.n_ready, 0);
        assert_int_equal(lot.ready_first, -EBADF);
        assert_int_equal(lot_place(&lot, fd), PLACE_NONE);
        assert_int_equal(count_fds(), before);
        lot_clear(&lot);
}

/* Who was ready first leaves first, whatever the numbers; an emptied queue works like a new one. */
static void test_queue(void **state _unused_)
{
        int fds[FEW];
        Lot lot = LOT_EMPTY;

        for (size_t turn = 0; turn < 2; turn++) {
                for (size_t i = 0; i < FEW; i++)
                        fds[i] = put(&lot, PLACE_WATCHED);
                for (size_t i = 0; i < FEW; i++)
                        lot_set_place(&lot, fds[i * 7 % FEW], PLACE_READY);
                for (size_t i = 0; i < FEW; i++) {
                        assert_int_equal(lot.ready_first, fds[i * 7 % FEW]);
                        assert_int_equal(lot.n_ready, FEW - i);
                        lot_drop(&lot, lot.ready_first);
                }
                assert_int_equal(lot.ready_first, -EBADF);
        }
        lot_clear(&lot);
}

static void test_foreach(void **state _unused_)
{
        size_t before = count_fds(), seen = 0;
        Lot lot = LOT_EMPTY;

        FOREACH_PARKED(fd, &lot)
                fail();
        for (size_t i = 0; i < FEW; i++)
                (void) put(&lot, i % 2 ? PLACE_WATCHED : PLACE_RESTING);
        FOREACH_PARKED(fd, &lot) {
                if (lot_place(&lot, fd) == PLACE_RESTING)
                        lot_drop(&lot, fd);
                seen++;
        }
        assert_int_equal(seen, FEW);
        assert_int_equal(lot.count, FEW / 2);
        FOREACH_PARKED(fd, &lot)
                if (seen++ % 2)
                        lot_set_place(&lot, fd, PLACE_READY);
        lot_clear(&lot);
        assert_int_equal(lot.count, 0);
        assert_int_equal(count_fds(), before);
}

static void on_abort(int signal _unused_)
{
        _exit(ABORTED);
}

/* What is no way from one place to another ends the process. */
static void test_contracts(void **state _unused_)
{
        static const struct {
                Place from, to;
        } wrong[] = {
                { PLACE_WATCHED, PLACE_WATCHED }, { PLACE_WATCHED, PLACE_RESTING },
                { PLACE_RESTING, PLACE_RESTING }, { PLACE_WATCHED, _PLACE_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                pid_t pid = fork_child();

                if (pid == 0) {
                        Lot lot = LOT_EMPTY;

                        (void) signal(SIGABRT, on_abort);
                        fd_close(STDERR_FILENO); /* an assertion that fails says so */
                        lot_set_place(&lot, put(&lot, wrong[i].from), wrong[i].to);
                        _exit(0);
                }
                expect_exit(pid, ABORTED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_places),
                cmocka_unit_test(test_queue),
                cmocka_unit_test(test_foreach),
                cmocka_unit_test(test_contracts),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
