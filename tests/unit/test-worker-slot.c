/* SPDX-License-Identifier: MIT */

/* What a worker writes about itself on a real scoreboard, and when that wakes the manager. */

#include "helpers/unit.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "worker/serve/slot.h"

#define SLOT 1

typedef struct Fixture {
        Scoreboard *board;
        Slot slot;
        Params *params;
} Fixture;

static int fixture_open(void **state)
{
        Fixture *f = calloc(1, sizeof *f);

        assert_non_null(f);
        assert_int_equal(scoreboard_new(2, &f->board), 0);
        assert_int_equal(params_new(&f->params), 0);
        f->slot = (Slot){ .board = f->board, .number = SLOT, .wake_fd = eventfd(0, EFD_NONBLOCK) };
        assert_true(f->slot.wake_fd >= 0);
        scoreboard_reserve(f->board, SLOT);
        *state = f;
        return 0;
}

static int fixture_close(void **state)
{
        Fixture *f = *state;

        close(f->slot.wake_fd);
        params_free(f->params);
        scoreboard_free(f->board);
        free(f);
        return 0;
}

/* Whole: each change is between scoreboard_begin() and scoreboard_end(). */
static WorkerRecord read_record(const Fixture *f)
{
        WorkerRecord record;

        assert_true(scoreboard_read(f->board, SLOT, &record));
        return record;
}

static void set(Fixture *f, const char *name, const char *value)
{
        assert_int_equal(params_set(f->params, name, strlen(name), value, strlen(value)), 0);
}

static void request_begins(Fixture *f)
{
        set(f, "REQUEST_METHOD", "POST");
        set(f, "REQUEST_URI", "/a?b");
        set(f, "CONTENT_LENGTH", "17");
        slot_request(&f->slot, f->params);
}

static void test_counts(void **state)
{
        Fixture *f = *state;

        slot_count_connections(&f->slot);
        slot_count_connections(&f->slot);
        assert_int_equal(read_record(f).connections, 2);
        assert_int_equal(read_record(f).requests, 0);
}

static void test_stage(void **state)
{
        Fixture *f = *state;
        eventfd_t n;

        slot_stage(&f->slot, STAGE_IDLE); /* the first time */
        assert_int_equal(scoreboard_stage(f->board, SLOT), STAGE_IDLE);
        assert_int_equal(eventfd_read(f->slot.wake_fd, &n), 0);
        assert_int_equal(n, 1);
        slot_stage(&f->slot, STAGE_RUNNING); /* nobody asked */
        assert_int_equal(scoreboard_stage(f->board, SLOT), STAGE_RUNNING);
        assert_int_equal(eventfd_read(f->slot.wake_fd, &n), -1);
}

static void test_request(void **state)
{
        Fixture *f = *state;
        usec_t before = now_monotonic();
        WorkerRecord record;

        request_begins(f);
        record = read_record(f);
        assert_between(record.request_started, before, now_monotonic());
        assert_string_equal(record.method, "POST");
        assert_string_equal(record.uri, "/a?b");
        assert_int_equal(record.content_length, 17);
        assert_string_equal(record.script, "");
        assert_string_equal(record.user, "");
        assert_int_equal(record.requests, 0); /* it counts when it has finished */

        slot_script(&f->slot, "/srv/a.php", "me");
        record = read_record(f);
        assert_string_equal(record.script, "/srv/a.php");
        assert_string_equal(record.user, "me");
}

/* Nothing stays of the request before. */
static void test_next_request(void **state)
{
        Fixture *f = *state;
        WorkerRecord record;

        request_begins(f);
        slot_script(&f->slot, "/srv/a.php", "me");
        params_clear(f->params);
        slot_request(&f->slot, f->params);
        record = read_record(f);
        assert_string_equal(record.method, "");
        assert_string_equal(record.uri, "");
        assert_string_equal(record.script, "");
        assert_string_equal(record.user, "");
        assert_int_equal(record.content_length, 0);

        request_begins(f);
        set(f, "CONTENT_LENGTH", "none");
        slot_request(&f->slot, f->params);
        assert_int_equal(read_record(f).content_length, 0);
        slot_script(&f->slot, "/srv/a.php", "me");
        slot_script(&f->slot, "/b", "");
        assert_string_equal(read_record(f).script, "/b");
        assert_string_equal(read_record(f).user, "");
}

static void test_long_texts_are_cut(void **state)
{
        Fixture *f = *state;
        char text[SCOREBOARD_SCRIPT_MAX + 10];

        memset(text, 'x', sizeof text);
        text[sizeof text - 1] = 0;
        set(f, "REQUEST_METHOD", text);
        slot_request(&f->slot, f->params);
        slot_script(&f->slot, text, "");
        assert_int_equal(strlen(read_record(f).method), SCOREBOARD_METHOD_MAX - 1);
        assert_int_equal(strlen(read_record(f).script), SCOREBOARD_SCRIPT_MAX - 1);
        text[SCOREBOARD_SCRIPT_MAX - 1] = 0;
        assert_string_equal(read_record(f).script, text);
}

static void test_request_end(void **state)
{
        Fixture *f = *state;
        usec_t before;
        WorkerRecord record;

        request_begins(f);
        scoreboard_begin(f->board, SLOT)->request_started -= 5 * USEC_PER_SEC;
        scoreboard_end(f->board, SLOT);
        before = now_monotonic();
        slot_request_end(&f->slot, 4096, 300);
        record = read_record(f);
        assert_between(record.request_ended, before, now_monotonic());
        assert_int_equal(record.request_duration, record.request_ended - record.request_started);
        assert_true(record.request_duration >= 5 * USEC_PER_SEC);
        assert_int_equal(f->slot.request_duration, record.request_duration);
        assert_int_equal(record.request_cpu, 300);
        assert_int_equal(record.request_memory, 4096);
        assert_int_equal(record.memory_peak, 4096);
        assert_int_equal(record.requests, 1);
        assert_int_equal(f->slot.counted, 1);

        request_begins(f);
        slot_request_end(&f->slot, 1024, 0);
        record = read_record(f);
        assert_int_equal(record.request_cpu, 0);
        assert_int_equal(record.request_memory, 1024);
        assert_int_equal(record.memory_peak, 4096);
        assert_int_equal(record.requests, 2);

        request_begins(f);
        slot_request_end(&f->slot, 8192, 0);
        assert_int_equal(read_record(f).memory_peak, 8192);
}

/* The first wait of a request counts, and those of one before do not. */
static void test_sending(void **state)
{
        Fixture *f = *state;
        usec_t before = now_monotonic(), first;

        request_begins(f);
        slot_stage(&f->slot, STAGE_FINISHING);
        slot_sending(&f->slot);
        assert_int_equal(scoreboard_stage(f->board, SLOT), STAGE_SENDING);
        first = read_record(f).sending_started;
        assert_between(first, before, now_monotonic());

        scoreboard_begin(f->board, SLOT)->sending_started = first + 1;
        scoreboard_end(f->board, SLOT);
        slot_sending(&f->slot);
        assert_int_equal(read_record(f).sending_started, first + 1);

        scoreboard_begin(f->board, SLOT)->request_started = first + 2;
        scoreboard_end(f->board, SLOT);
        while (now_monotonic() < first + 2)
                ;
        slot_sending(&f->slot);
        assert_true(read_record(f).sending_started >= first + 2);
}

static void test_progress(void **state)
{
        Fixture *f = *state;

        slot_progress(&f->slot);
        slot_progress(&f->slot);
        assert_int_equal(scoreboard_progress(f->board, SLOT), 2);
        assert_int_equal(scoreboard_progress(f->board, 0), 0);
}

static void test_others_idle(void **state)
{
        Fixture *f = *state;

        assert_false(slot_others_idle(&f->slot));
        (void) scoreboard_set_stage(f->board, SLOT, STAGE_IDLE);
        assert_false(slot_others_idle(&f->slot));
        scoreboard_reserve(f->board, 0);
        (void) scoreboard_set_stage(f->board, 0, STAGE_IDLE);
        assert_true(slot_others_idle(&f->slot));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_counts),
                TEST(test_stage),
                TEST(test_request),
                TEST(test_next_request),
                TEST(test_long_texts_are_cut),
                TEST(test_request_end),
                TEST(test_sending),
                TEST(test_progress),
                TEST(test_others_idle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
