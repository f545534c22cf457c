/* SPDX-License-Identifier: MIT */

/* What the status says of a worker, at every stage of its life, and of a pool: each figure is another
 * number. */

#include "helpers/unit.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helpers/fds.h"
#include "helpers/workers.h"
#include "manager/face/report.h"

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
        { "starting, and it has taken the slot", STAGE_STARTING, .record.pid = WORKER_PID },
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
        assert_int_equal(got->pid, WORKER_PID);
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
                Worker worker = { .state = WORKER_LIVE, .pid = WORKER_PID, .started = started };
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
        Worker worker = { .state = WORKER_LIVE, .pid = WORKER_PID, .started = now_realtime() };
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

/* ---- The pool ---- */

#define BACKLOG 7
#define PARKED 3
#define SLOTS 4

typedef struct Fixture {
        Pool pool;
        Generation generations[4];
        size_t n;
        int clients[PARKED];
} Fixture;

static void on_change(void *userdata _unused_)
{
}

/* A Unix socket at an address of the kernel's choice. */
static int listen_anywhere(void)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address.sun_family), 0);
        assert_int_equal(listen(fd, BACKLOG), 0);
        return fd;
}

static void connect_and_close(int listen_fd)
{
        struct sockaddr_un address;
        socklen_t size = sizeof address;
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(getsockname(listen_fd, (struct sockaddr *) &address, &size), 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &address, size), 0);
        close(fd);
}

static int fixture_open(void **state)
{
        Fixture *f = calloc(1, sizeof *f);
        Pool *p;

        assert_non_null(f);
        p = &f->pool;
        p->name = "www";
        p->life.state = POOL_RELOADING;
        p->life.started = now_realtime() - MINUTE;
        p->listen = (Listen){ .sockets[0].fd = listen_anywhere(), .n = 1, .control = -EBADF };
        assert_int_equal(sd_event_new(&p->event), 0);
        assert_int_equal(parking_new(p->event, on_change, NULL, &p->parking), 0);
        assert_int_equal(queue_new(&p->listen, p->parking, &p->queue), 0);
        *state = f;
        return 0;
}

static int fixture_close(void **state)
{
        Fixture *f = *state;

        for (size_t i = 0; i < f->n; i++) {
                Generation *g = &f->generations[i];

                forget_workers(&g->workers);
                workers_clear(&g->workers);
                config_free(g->config);
        }
        for (size_t i = 0; i < PARKED; i++)
                if (f->clients[i] > 0)
                        close(f->clients[i]);
        queue_free(f->pool.queue);
        parking_free(f->pool.parking);
        listen_close(&f->pool.listen);
        sd_event_unref(f->pool.event);
        free(f);
        return 0;
}

static Generation *add_generation(Fixture *f, uint64_t id, PmMode mode, uint64_t max_children,
                                  const char *version)
{
        Generation *g = &f->generations[f->n++];

        *g = (Generation){ .id = id };
        assert_int_equal(config_new(&g->config), 0);
        g->config->pm_mode = mode;
        g->config->pm_max_children = max_children;
        (void) snprintf(g->php_version, sizeof g->php_version, "%s", version);
        assert_int_equal(workers_new(SLOTS, &g->workers), 0);
        return g;
}

static void add_served(Generation *g, Stage stage, uint64_t connections, uint64_t requests, uint64_t peak)
{
        uint32_t slot = add_worker(&g->workers, stage);
        WorkerRecord *record = scoreboard_begin(g->workers.board, slot);

        record->connections = connections;
        record->requests = requests;
        record->memory_peak = peak;
        scoreboard_end(g->workers.board, slot);
}

/* So many connections are parked, and the first of them has said something. */
static void park(Fixture *f)
{
        for (size_t i = 0; i < PARKED; i++) {
                int pair[2];

                open_stream(pair);
                f->clients[i] = pair[0];
                assert_int_equal(parking_adopt(f->pool.parking, PROTOCOL_FASTCGI, pair[1]), 0);
        }
        assert_int_equal(write(f->clients[0], "x", 1), 1);
        while (sd_event_run(f->pool.event, 0) > 0)
                ;
}

static void test_pool_that_starts(void **state)
{
        Fixture *f = *state;
        PoolStatus status, expected = { .pool = "www", .listen_queue_len = BACKLOG };

        f->pool.life.state = POOL_STARTING;
        report_pool(&f->pool, &status);
        assert_string_equal(status.state, "starting");
        assert_string_equal(status.health, "not watched");
        assert_string_equal(status.process_manager, "");
        assert_string_equal(status.php_version, "");
        expected.state = status.state;
        expected.health = status.health;
        expected.process_manager = status.process_manager;
        expected.php_version = status.php_version;
        expected.start_time = f->pool.life.started;
        expected.start_since = status.start_since;
        assert_memory_equal(&status, &expected, sizeof status); /* nothing else is known */

        f->pool.next = add_generation(f, 1, PM_STATIC, 5, "");
        report_pool(&f->pool, &status);
        assert_string_equal(status.process_manager, "static");
        assert_int_equal(status.generation, 1);
        assert_int_equal(status.max_children, 5);
}

static void test_pool(void **state)
{
        Fixture *f = *state;
        Pool *p = &f->pool;
        PoolStatus status;

        p->current = add_generation(f, 12, PM_ONDEMAND, 34, "8.4.1");
        p->next = add_generation(f, 13, PM_STATIC, 99, "8.5.0");
        p->retired = add_generation(f, 11, PM_STATIC, 98, "8.2.0");
        p->retired->older = add_generation(f, 10, PM_STATIC, 97, "8.2.0");
        add_served(p->current, STAGE_IDLE, 100, 1000, 77);
        add_served(p->current, STAGE_IDLE, 10, 2000, 60);
        add_served(p->current, STAGE_RUNNING, 7, 300, 50);
        add_served(p->next, STAGE_STARTING, 2, 20, 3);
        add_served(p->retired, STAGE_RUNNING, 5, 4, 76);
        add_served(p->retired->older, STAGE_SENDING, 20000, 50000, 70);
        add_served(p->retired->older, STAGE_READING, 0, 0, 0);
        p->totals = (Totals){
                .past = { .connections = 400000, .requests = 600000, .memory_peak = 71 },
                .recycled = { [RECYCLED_RETIRED] = 41,
                              [RECYCLED_MAX_REQUESTS] = 42,
                              [RECYCLED_MAX_MEMORY] = 43,
                              [RECYCLED_TERMINATED] = 44,
                              [RECYCLED_CRASHED] = 45 },
                .slow_requests = 46,
                .max_active = 47,
        };
        p->sizing.saturation.n = 48;
        park(f);
        for (size_t i = 0; i < 5; i++)
                connect_and_close(p->listen.sockets[0].fd);
        report_pool(p, &status);
        assert_int_equal(status.listen_queue, 6);
        assert_int_equal(status.max_listen_queue, 6);
        close(accept4(p->listen.sockets[0].fd, NULL, NULL, SOCK_CLOEXEC));

        report_pool(p, &status);
        assert_string_equal(status.pool, "www");
        assert_string_equal(status.state, "reloading");
        assert_string_equal(status.health, "not watched");
        assert_string_equal(status.process_manager, "ondemand");
        assert_string_equal(status.php_version, "8.4.1");
        assert_int_equal(status.start_time, p->life.started);
        assert_between(status.start_since, MINUTE, 2 * MINUTE);
        assert_int_equal(status.generation, 12);
        assert_int_equal(status.max_children, 34);
        assert_int_equal(status.accepted_conn, 420124);
        assert_int_equal(status.requests, 653324);
        assert_int_equal(status.memory_peak, 77);
        assert_int_equal(status.listen_queue, 5);
        assert_int_equal(status.max_listen_queue, 6);
        assert_int_equal(status.listen_queue_len, BACKLOG);
        assert_int_equal(status.parked_connections, PARKED - 1);
        assert_int_equal(status.parked_ready, 1);
        assert_int_equal(status.idle_processes, 2);
        assert_int_equal(status.active_processes, 4);
        assert_int_equal(status.total_processes, 7);
        assert_int_equal(status.max_active_processes, 47);
        assert_int_equal(status.max_children_reached, 48);
        assert_int_equal(status.slow_requests, 46);
        assert_int_equal(status.recycled_retired, 41);
        assert_int_equal(status.recycled_max_requests, 42);
        assert_int_equal(status.recycled_max_memory, 43);
        assert_int_equal(status.recycled_terminated, 44);
        assert_int_equal(status.recycled_crashed, 45);
}

static void test_most_active(void **state)
{
        Fixture *f = *state;
        Pool *p = &f->pool;
        PoolStatus status;

        p->current = add_generation(f, 1, PM_STATIC, 4, "8.4.1");
        report_pool(p, &status);
        assert_int_equal(status.max_active_processes, 0);
        add_served(p->current, STAGE_IDLE, 1, 1, 1); /* its request came and went between two looks */
        report_pool(p, &status);
        assert_int_equal(status.max_active_processes, 1);
        add_served(p->current, STAGE_RUNNING, 1, 0, 0);
        add_served(p->current, STAGE_RUNNING, 1, 0, 0);
        report_pool(p, &status);
        assert_int_equal(status.max_active_processes, 2);
        (void) scoreboard_set_stage(p->current->workers.board, 1, STAGE_IDLE);
        report_pool(p, &status);
        assert_int_equal(status.active_processes, 1);
        assert_int_equal(status.max_active_processes, 2);
        assert_int_equal(p->totals.max_active, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stages), cmocka_unit_test(test_slot_of_another),
                TEST(test_pool_that_starts),   TEST(test_pool),
                TEST(test_most_active),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
