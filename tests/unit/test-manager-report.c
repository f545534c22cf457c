/* SPDX-License-Identifier: MIT */

/* What the status says of a worker, at every stage of its life. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "manager/face/report.h"

#define PID 4711
#define MINUTE (60 * USEC_PER_SEC)

/* A request of ten seconds' duration, which began a minute ago. */
#define LAST                                                                                                \
        .requests = 1, .request_duration = 10 * USEC_PER_SEC, .request_cpu = USEC_PER_SEC,                  \
        .request_memory = 4096, .content_length = 3, .method = "POST", .uri = "/uri",                       \
        .script = "/srv/a.php", .user = "me"

static const struct {
        const char *name;
        Stage stage;
        bool begun, ended; /* a request; that began before, that ended later */
        WorkerRecord record;
        WorkerStatus expected; /* what differs from a worker that never had a request */
        usec_t duration;       /* at least */
} cases[] = {
        { "starting", STAGE_STARTING },
        { "starting, and it has taken the slot", STAGE_STARTING, .record.pid = PID },
        { "waits for its first request", STAGE_IDLE },
        { "reads its first request", STAGE_READING, .record.connections = 1, .expected.connections = 1 },
        { "ends without a request", STAGE_ENDING },
        { "runs its first request", STAGE_RUNNING, .begun = true,
          .record = { .method = "GET", .uri = "/uri", .script = "/srv/a.php", .content_length = 3 },
          .expected = { .requests = 1,
                        .request_method = "GET",
                        .request_uri = "/uri",
                        .script = "/srv/a.php",
                        .content_length = 3 },
          .duration = MINUTE },
        { "waits for its second request", STAGE_IDLE, .begun = true, .ended = true, .record = { LAST },
          .expected = { .requests = 1,
                        .request_duration = 10 * USEC_PER_SEC,
                        .request_method = "POST",
                        .request_uri = "/uri",
                        .script = "/srv/a.php",
                        .user = "me",
                        .content_length = 3,
                        .last_request_cpu = 1000,
                        .last_request_memory = 4096 } },
        { "reads its second request", STAGE_READING, .begun = true, .ended = true, .record = { LAST },
          .expected.requests = 1 },
        { "ends after a request", STAGE_ENDING, .begun = true, .ended = true, .record = { LAST },
          .expected = { .requests = 1,
                        .request_duration = 10 * USEC_PER_SEC,
                        .request_method = "POST",
                        .request_uri = "/uri",
                        .script = "/srv/a.php",
                        .user = "me",
                        .content_length = 3,
                        .last_request_cpu = 1000,
                        .last_request_memory = 4096 } },
};

static Generation generation_with(Worker *worker, Scoreboard **ret)
{
        assert_int_equal(scoreboard_new(1, ret), 0);
        scoreboard_reserve(*ret, 0);
        return (Generation){ .id = 3, .workers = { .board = *ret, .slots = worker, .n = 1 } };
}

static void assert_text(const char *got, const char *expected)
{
        assert_string_equal(got ?: "", expected ?: "");
}

static void check(const WorkerStatus *got, const WorkerStatus *expected, Stage stage)
{
        assert_int_equal(got->pid, PID);
        assert_string_equal(got->state, stage_to_string(stage));
        assert_int_equal(got->generation, 3);
        assert_int_equal(got->requests, expected->requests);
        assert_int_equal(got->connections, expected->connections);
        assert_text(got->request_method, expected->request_method);
        assert_text(got->request_uri, expected->request_uri);
        assert_text(got->script, expected->script);
        assert_text(got->user, expected->user);
        assert_int_equal(got->content_length, expected->content_length);
        assert_int_equal(got->last_request_cpu, expected->last_request_cpu);
        assert_int_equal(got->last_request_memory, expected->last_request_memory);
}

/* A worker has a start, also while it starts: since the manager ordered it. */
static void test_stages(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                usec_t now = now_monotonic(), started = now_realtime() - MINUTE;
                Worker worker = { .state = WORKER_LIVE, .pid = PID, .started = started };
                WorkerRecord record = cases[i].record;
                WorkerStatus status;
                Scoreboard *board;
                Generation g = generation_with(&worker, &board);

                print_message("%s\n", cases[i].name);
                record.request_started = cases[i].begun ? now - MINUTE : 0;
                record.request_ended = cases[i].ended ? now : 0;
                *scoreboard_begin(board, 0) = record;
                scoreboard_end(board, 0);
                (void) scoreboard_set_stage(board, 0, cases[i].stage);

                assert_true(report_worker(&g, 0, &record, &status));
                check(&status, &cases[i].expected, cases[i].stage);
                assert_int_equal(status.start_time, started);
                assert_true(status.start_since >= MINUTE && status.start_since <= 2 * MINUTE);
                if (cases[i].duration == 0)
                        assert_int_equal(status.request_duration, cases[i].expected.request_duration);
                else
                        assert_true(status.request_duration >= cases[i].duration &&
                                    status.request_duration <= 2 * cases[i].duration);
                scoreboard_free(board);
        }
}

/* The next worker of a slot has nothing of the one before; a slot without one is not shown. */
static void test_slot_of_another(void **state _unused_)
{
        Worker worker = { .state = WORKER_LIVE, .pid = PID, .started = now_realtime() };
        WorkerRecord record = { LAST, .request_started = 1, .request_ended = 2 };
        WorkerStatus status;
        Scoreboard *board;
        Generation g = generation_with(&worker, &board);

        *scoreboard_begin(board, 0) = record; /* it dies while it writes */
        scoreboard_release(board, 0);
        scoreboard_reserve(board, 0);
        assert_true(report_worker(&g, 0, &record, &status));
        check(&status, &(WorkerStatus){}, STAGE_STARTING);
        assert_int_equal(status.request_duration, 0);

        worker = (Worker){ .state = WORKER_ORDERED, .started = now_realtime() };
        assert_false(report_worker(&g, 0, &record, &status));
        scoreboard_free(board);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stages),
                cmocka_unit_test(test_slot_of_another),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
