/* SPDX-License-Identifier: MIT */

/* The rules for heads of parked connections, case by case, and the one timer that they share. */

#include "helpers/unit.h"

#include <sys/mman.h>
#include <unistd.h>

#include "manager/traffic/heads.h"

#define NOW (1000 * USEC_PER_SEC)

static void test_rests(void **state _unused_)
{
        static const struct {
                int head;
                uint8_t moves;
                bool rests;
        } cases[] = {
                { -EBADF, 0, false },
                { 0, 1, false },
                { 5, HEAD_MOVES_MAX, false },
                { 0, HEAD_MOVES_MAX + 1, true },
                { 5, 255, true },
                { -EBADF, 255, false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Origin origin = { .head = cases[i].head, .moves = cases[i].moves, .deadline = 7 };

                assert_int_equal(head_rests(&origin), cases[i].rests);
                assert_int_equal(head_first_turn(&origin, NOW), cases[i].rests ? NOW + HEADS_INTERVAL : 7);
        }
}

static void test_turns(void **state _unused_)
{
        static const struct {
                usec_t deadline;
                bool resting;
                HeadVerdict verdict;
                usec_t next;         /* where it was left, or is watched now */
                usec_t next_resting; /* where it could not be watched */
        } cases[] = {
                { NOW + USEC_PER_SEC, false, HEAD_LEAVE, NOW + USEC_PER_SEC, NOW + HEADS_INTERVAL },
                { NOW + USEC_PER_SEC, true, HEAD_WATCH, NOW + USEC_PER_SEC, NOW + HEADS_INTERVAL },
                { NOW + 1, false, HEAD_LEAVE, NOW + 1, NOW + 1 },
                { NOW + 1, true, HEAD_WATCH, NOW + 1, NOW + 1 },
                { NOW, false, HEAD_OVER, NOW, NOW },
                { NOW, true, HEAD_OVER, NOW, NOW },
                { 1, true, HEAD_OVER, 1, 1 },
                { USEC_INFINITY, true, HEAD_WATCH, USEC_INFINITY, NOW + HEADS_INTERVAL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Origin origin = { .head = 3, .moves = 1, .deadline = cases[i].deadline };

                assert_int_equal(head_decide(&origin, cases[i].resting, NOW), cases[i].verdict);
                assert_int_equal(head_next_turn(&origin, false, NOW), cases[i].next);
                assert_int_equal(head_next_turn(&origin, true, NOW), cases[i].next_resting);
        }
}

static void test_pages(void **state _unused_)
{
        static const size_t cases[][2] = {
                { 0, 0 }, { 1, 4096 }, { 4095, 4096 }, { 4096, 4096 }, { 4097, 8192 },
                { HANDOFF_HEAD_MAX, HANDOFF_HEAD_MAX },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_int_equal(head_pages_size(cases[i][0]), cases[i][1]);
}

typedef struct Fixture {
        sd_event *event;
        Heads *heads;
        size_t n_turns;
        usec_t next; /* what the turn says */
} Fixture;

static usec_t on_turn(usec_t now _unused_, void *userdata)
{
        Fixture *f = userdata;

        f->n_turns++;
        return TAKE_GENERIC(f->next, USEC_INFINITY);
}

static void fixture_open(Fixture *f)
{
        *f = (Fixture) { .next = USEC_INFINITY };
        assert_int_equal(sd_event_new(&f->event), 0);
        assert_int_equal(heads_new(f->event, on_turn, f, &f->heads), 0);
}

static void fixture_close(Fixture *f)
{
        heads_free(f->heads);
        sd_event_unref(f->event);
}

/* A memfd of this size: sparse, it takes nothing. */
static int head_of(off_t size)
{
        int fd = memfd_create("head", MFD_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, size), 0);
        return fd;
}

static void test_bounds(void **state _unused_)
{
        Origin origin = { .moves = 1, .deadline = USEC_INFINITY };
        uint32_t size;
        Fixture f;
        size_t n = 0;
        int pipes[2];

        fixture_open(&f);
        origin.head = head_of(HANDOFF_HEAD_MAX + 1);
        assert_int_equal(heads_measure(f.heads, origin.head, &size), -EFBIG);
        fd_close(origin.head);
        assert_int_equal(heads_measure(f.heads, origin.head, &size), -EBADF);
        assert_int_equal(pipe(pipes), 0); /* a worker can send anything */
        assert_int_equal(heads_measure(f.heads, pipes[0], &size), 0);
        assert_int_equal(size, 0);
        fd_close(pipes[0]);
        fd_close(pipes[1]);

        origin.head = head_of(HANDOFF_HEAD_MAX);
        while (heads_measure(f.heads, origin.head, &size) == 0) {
                assert_int_equal(size, HANDOFF_HEAD_MAX);
                heads_add(f.heads, &origin, size, NOW);
                assert_int_equal(heads_count(f.heads), ++n);
        }
        assert_int_equal(n, HEADS_SIZE_MAX / HANDOFF_HEAD_MAX);
        assert_int_equal(heads_measure(f.heads, origin.head, &size), -ENOBUFS);
        heads_remove(f.heads, HANDOFF_HEAD_MAX);
        assert_int_equal(heads_count(f.heads), n - 1);
        assert_int_equal(heads_measure(f.heads, origin.head, &size), 0);
        fd_close(origin.head);
        fixture_close(&f);
}

/* The earliest of all heads counts; after a turn, what the turn says, no sooner than the interval. */
static void test_timer(void **state _unused_)
{
        usec_t now = now_monotonic();
        Origin origin = { .head = 3, .moves = 1, .deadline = now + 3600 * USEC_PER_SEC };
        Fixture f;

        fixture_open(&f);
        heads_add(f.heads, &origin, 0, now);
        origin.deadline = now + 1;
        heads_add(f.heads, &origin, 0, now);
        f.next = now; /* at once, which is too soon */
        assert_true(sd_event_run(f.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(f.n_turns, 1);
        now = now_monotonic();
        assert_true(sd_event_run(f.event, 10 * USEC_PER_SEC) > 0);
        assert_int_equal(f.n_turns, 2);
        assert_true(now_monotonic() >= now + HEADS_INTERVAL / 2);
        assert_int_equal(sd_event_run(f.event, 0), 0); /* for ever */
        fixture_close(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_rests),  cmocka_unit_test(test_turns), cmocka_unit_test(test_pages),
                cmocka_unit_test(test_bounds), cmocka_unit_test(test_timer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
