/* SPDX-License-Identifier: MIT */

/* The scoreboard: stages, who wakes the manager when, and what a reader gets while others write. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/child.h"
#include "scoreboard/scoreboard.h"

#define SLOTS 4

/* The manager's board and a worker's map of it. */
typedef struct Fixture {
        Scoreboard *manager;
        Scoreboard *worker;
} Fixture;

static void fixture_open(Fixture *f)
{
        assert_int_equal(scoreboard_new(SLOTS, &f->manager), 0);
        assert_int_equal(scoreboard_map(scoreboard_fd(f->manager), &f->worker), 0);
}

static void fixture_close(Fixture *f)
{
        scoreboard_free(f->worker);
        scoreboard_free(f->manager);
        scoreboard_free(NULL);
}

/* A worker that has come as far as its first wait. */
static void start_worker(Fixture *f, size_t slot)
{
        scoreboard_reserve(f->manager, slot);
        assert_int_equal(scoreboard_attach(f->worker, slot), 0);
        assert_true(scoreboard_set_stage(f->worker, slot, STAGE_IDLE));
}

static void test_stage_names(void **state _unused_)
{
        assert_string_equal(stage_to_string(STAGE_FREE), "Free");
        assert_string_equal(stage_to_string(STAGE_READING), "Reading headers");
        assert_string_equal(stage_to_string(STAGE_ENDING), "Ending");
}

static void test_life_of_a_slot(void **state _unused_)
{
        WorkerRecord record;
        Fixture f;

        fixture_open(&f);
        assert_int_equal(scoreboard_size(f.manager), SLOTS);
        assert_int_equal(scoreboard_size(f.worker), SLOTS);
        assert_int_equal(scoreboard_fd(f.worker), -EBADF);
        assert_int_equal(scoreboard_stage(f.manager, 1), STAGE_FREE);

        scoreboard_reserve(f.manager, 1);
        assert_int_equal(scoreboard_attach(f.worker, 1), 0);
        assert_int_equal(scoreboard_stage(f.manager, 1), STAGE_STARTING);
        assert_int_equal(scoreboard_attach(f.worker, SLOTS), -ERANGE);
        assert_true(scoreboard_read(f.manager, 1, &record));
        assert_int_equal(record.pid, getpid());

        assert_true(scoreboard_set_stage(f.worker, 1, STAGE_IDLE));
        assert_false(scoreboard_set_stage(f.worker, 1, STAGE_RUNNING));
        (void) snprintf(scoreboard_begin(f.worker, 1)->uri, SCOREBOARD_URI_MAX, "/index.php");
        scoreboard_end(f.worker, 1);
        assert_true(scoreboard_read(f.manager, 1, &record));
        assert_int_equal(record.stage, STAGE_RUNNING);
        assert_string_equal(record.uri, "/index.php");

        scoreboard_release(f.manager, 1);
        assert_true(scoreboard_read(f.manager, 1, &record));
        assert_int_equal(record.stage, STAGE_FREE);
        assert_int_equal(record.pid, 0);
        assert_string_equal(record.uri, "");
        fixture_close(&f);
}

static void test_wakes_once_below_the_threshold(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < 3; i++)
                start_worker(&f, i);

        scoreboard_arm(f.manager, 2, 0);
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_READING)); /* 2 idle: enough */
        assert_true(scoreboard_set_stage(f.worker, 1, STAGE_READING));
        assert_false(scoreboard_set_stage(f.worker, 2, STAGE_READING)); /* told already */

        /* Other changes concern nobody. */
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_RUNNING));
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_RUNNING));
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_FINISHING));
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_IDLE));

        scoreboard_arm(f.manager, 2, 0);
        assert_true(scoreboard_set_stage(f.worker, 0, STAGE_ENDING));

        assert_false(scoreboard_set_stage(f.worker, 1, STAGE_IDLE));
        scoreboard_arm(f.manager, 0, 0);
        assert_false(scoreboard_set_stage(f.worker, 1, STAGE_READING));
        fixture_close(&f);
}

static void test_wakes_once_at_a_surplus(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < 3; i++) {
                start_worker(&f, i);
                (void) scoreboard_set_stage(f.worker, i, STAGE_READING);
        }
        scoreboard_arm(f.manager, 0, 2);
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_IDLE));
        assert_true(scoreboard_set_stage(f.worker, 1, STAGE_IDLE));
        assert_false(scoreboard_set_stage(f.worker, 2, STAGE_IDLE)); /* told already */
        assert_false(scoreboard_set_stage(f.worker, 0, STAGE_READING));
        fixture_close(&f);
}

/* A worker that dies idle no longer counts as idle. */
static void test_release_of_an_idle_worker(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        start_worker(&f, 0);
        start_worker(&f, 1);
        scoreboard_release(f.manager, 1);
        scoreboard_arm(f.manager, 1, 0);
        assert_true(scoreboard_set_stage(f.worker, 0, STAGE_READING));

        /* One that dies busy was not counted. */
        scoreboard_release(f.manager, 0);
        start_worker(&f, 0);
        scoreboard_arm(f.manager, 1, 0);
        assert_true(scoreboard_set_stage(f.worker, 0, STAGE_READING));
        fixture_close(&f);
}

/* Between its stage and its idle bit a worker may die: the count is right all the same. */
static void test_death_between_stage_and_count(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        for (size_t i = 0; i < 3; i++)
                start_worker(&f, i);
        (void) scoreboard_set_stage(f.worker, 2, STAGE_READING);
        scoreboard_release(f.manager, 2);
        scoreboard_release(f.manager, 2);
        scoreboard_arm(f.manager, 2, 0);
        assert_true(scoreboard_set_stage(f.worker, 1, STAGE_READING)); /* 1 idle, and not 2 or 0 */
        scoreboard_arm(f.manager, 1, 0);
        assert_false(scoreboard_set_stage(f.worker, 1, STAGE_IDLE));
        assert_false(scoreboard_set_stage(f.worker, 1, STAGE_READING));
        fixture_close(&f);
}

/* Only the request that was meant is condemned. */
static void test_condemned_request(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        start_worker(&f, 1);
        (void) scoreboard_set_stage(f.worker, 1, STAGE_RUNNING);
        assert_false(scoreboard_condemned(f.worker, 1));
        scoreboard_condemn(f.manager, 1, 1);
        assert_true(scoreboard_condemned(f.worker, 1));
        (void) scoreboard_set_stage(f.worker, 1, STAGE_FINISHING);
        assert_true(scoreboard_condemned(f.worker, 1));

        scoreboard_begin(f.worker, 1)->requests++;
        scoreboard_end(f.worker, 1);
        assert_false(scoreboard_condemned(f.worker, 1));
        scoreboard_condemn(f.manager, 1, 2);
        (void) scoreboard_set_stage(f.worker, 1, STAGE_IDLE);
        assert_false(scoreboard_condemned(f.worker, 1));

        (void) scoreboard_set_stage(f.worker, 1, STAGE_RUNNING);
        scoreboard_release(f.manager, 1);
        scoreboard_reserve(f.manager, 1);
        (void) scoreboard_set_stage(f.worker, 1, STAGE_RUNNING);
        assert_false(scoreboard_condemned(f.worker, 1));

        scoreboard_begin(f.worker, 1)->requests = UINT64_MAX; /* a lie: its next one has the number 0 */
        scoreboard_end(f.worker, 1);
        scoreboard_condemn(f.manager, 1, 0);
        fixture_close(&f);
}

/* One worker starts the timer, once each time that it is offered. */
static void test_timer_is_claimed_once(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        assert_false(scoreboard_claim_timer(f.worker));
        scoreboard_offer_timer(f.manager);
        assert_true(scoreboard_claim_timer(f.worker));
        assert_false(scoreboard_claim_timer(f.worker));
        fixture_close(&f);
}

/* What the manager says is seen by the workers, however often it says it. */
static void test_progress_is_counted(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        start_worker(&f, 1);
        assert_int_equal(scoreboard_progress(f.manager, 1), 0);
        scoreboard_note_progress(f.worker, 1);
        scoreboard_note_progress(f.worker, 1);
        assert_int_equal(scoreboard_progress(f.manager, 1), 2);
        assert_int_equal(scoreboard_progress(f.manager, 0), 0);
        scoreboard_release(f.manager, 1);
        assert_int_equal(scoreboard_progress(f.manager, 1), 0);
        fixture_close(&f);
}

static void test_watched(void **state _unused_)
{
        Fixture f;

        fixture_open(&f);
        assert_false(scoreboard_watched(f.worker));
        scoreboard_set_watched(f.manager, true);
        scoreboard_set_watched(f.manager, true);
        assert_true(scoreboard_watched(f.worker));
        scoreboard_set_watched(f.manager, false);
        assert_false(scoreboard_watched(f.worker));
        fixture_close(&f);
}

static void test_too_many_slots(void **state _unused_)
{
        Scoreboard *board;

        assert_int_equal(scoreboard_new(SCOREBOARD_SLOTS_MAX + 1, &board), -ERANGE);
        assert_int_equal(scoreboard_new(SCOREBOARD_SLOTS_MAX, &board), 0);
        scoreboard_free(board);
}

static void test_torn_record(void **state _unused_)
{
        WorkerRecord record, *writing;
        Fixture f;

        fixture_open(&f);
        start_worker(&f, 2);

        writing = scoreboard_begin(f.worker, 2);
        memset(writing, 0xff, sizeof *writing); /* and here it dies */
        assert_false(scoreboard_read(f.manager, 2, &record));
        assert_int_equal(record.stage, STAGE_IDLE);
        assert_true(memchr(record.method, 0, sizeof record.method) != NULL);
        assert_true(memchr(record.uri, 0, sizeof record.uri) != NULL);
        assert_true(memchr(record.script, 0, sizeof record.script) != NULL);
        assert_true(memchr(record.user, 0, sizeof record.user) != NULL);

        /* The slot's next worker is not taken for a torn one. */
        scoreboard_release(f.manager, 2);
        start_worker(&f, 2);
        assert_true(scoreboard_read(f.manager, 2, &record));
        fixture_close(&f);
}

/* Whatever stands in the shared memory, the manager's answers are in range. */
static void test_board_full_of_lies(void **state _unused_)
{
        WorkerRecord record;
        off_t size;
        void *p;
        Fixture f;

        fixture_open(&f);
        size = lseek(scoreboard_fd(f.manager), 0, SEEK_END);
        p = mmap(NULL, (size_t) size, PROT_READ | PROT_WRITE, MAP_SHARED, scoreboard_fd(f.manager), 0);
        assert_ptr_not_equal(p, MAP_FAILED);
        memset(p, 0xfe, (size_t) size);

        assert_int_equal(scoreboard_size(f.manager), SLOTS);
        for (size_t i = 0; i < SLOTS; i++) {
                assert_int_equal(scoreboard_stage(f.manager, i), STAGE_RUNNING);
                (void) scoreboard_read(f.manager, i, &record);
                assert_true(record.stage <= _STAGE_MAX - 1);
                assert_true(strlen(record.uri) < sizeof record.uri);
        }
        assert_int_equal(munmap(p, (size_t) size), 0);
        fixture_close(&f);
}

static void test_memfd_of_another_form(void **state _unused_)
{
        _cleanup_(fd_closep) int fd = memfd_create("test", MFD_CLOEXEC);
        Scoreboard *board, *map = NULL;
        char c;

        assert_true(fd >= 0);
        assert_int_equal(scoreboard_map(fd, &map), -EBADMSG);
        assert_int_equal(ftruncate(fd, 65536), 0);
        assert_int_equal(scoreboard_map(fd, &map), -EBADMSG);
        assert_null(map);

        assert_int_equal(scoreboard_new(SLOTS, &board), 0);
        assert_int_equal(ftruncate(scoreboard_fd(board), 0), -1); /* a worker cannot take it from under us */
        assert_int_equal(errno, EPERM);
        assert_int_equal(pread(scoreboard_fd(board), &c, 1, 0), 1);
        assert_true(fcntl(scoreboard_fd(board), F_GETFD) & FD_CLOEXEC);
        scoreboard_free(board);
}

/* A record that says it is whole is whole, while a writer is at it. */
static void test_reader_beside_a_writer(void **state _unused_)
{
        unsigned whole = 0;
        WorkerRecord record;
        Fixture f;
        pid_t pid;

        fixture_open(&f);
        start_worker(&f, 0);
        pid = fork_child();
        if (pid == 0)
                for (uint64_t i = 1;; i++) {
                        WorkerRecord *r = scoreboard_begin(f.worker, 0);

                        r->connections = r->requests = r->content_length = i;
                        scoreboard_end(f.worker, 0);
                }

        while (whole < 100000)
                if (scoreboard_read(f.manager, 0, &record)) {
                        assert_int_equal(record.connections, record.requests);
                        assert_int_equal(record.connections, record.content_length);
                        whole++;
                }
        end_child(pid);
        fixture_close(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stage_names),
                cmocka_unit_test(test_life_of_a_slot),
                cmocka_unit_test(test_wakes_once_below_the_threshold),
                cmocka_unit_test(test_wakes_once_at_a_surplus),
                cmocka_unit_test(test_release_of_an_idle_worker),
                cmocka_unit_test(test_death_between_stage_and_count),
                cmocka_unit_test(test_condemned_request),
                cmocka_unit_test(test_timer_is_claimed_once),
                cmocka_unit_test(test_progress_is_counted),
                cmocka_unit_test(test_watched),
                cmocka_unit_test(test_too_many_slots),
                cmocka_unit_test(test_torn_record),
                cmocka_unit_test(test_board_full_of_lies),
                cmocka_unit_test(test_memfd_of_another_form),
                cmocka_unit_test(test_reader_beside_a_writer),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
