/* SPDX-License-Identifier: MIT */

/*
 * The life of a generation with no PHP: its template's program is this one again, which hands its end of the
 * channel back to the test. The test then says what a template says, and sees what it is asked for.
 */

#include "helpers/unit.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/child.h"
#include "helpers/directory.h"
#include "helpers/fds.h"
#include "helpers/workers.h"
#include "ipc/messages.h"
#include "manager/pool/enforce.h"
#include "manager/pool/generation-count.h"

#define VERSION "8.2"
#define PROGRAM "php-pool-worker-" VERSION
#define CHILDREN 40 /* more than one message orders */
#define SLOTS (CHILDREN + GENERATION_SPARE_SLOTS)
#define S USEC_PER_SEC

/* ---- The template's place ---- */

/* Whether each of the generation's own descriptors is what it should be. */
static bool inherited_all(const Inherit *inherit)
{
        _cleanup_(scoreboard_freep) Scoreboard *board = NULL;
        _cleanup_(config_freep) Config *config = NULL;
        struct itimerspec timer;

        return config_unseal(inherit->settings, &config) >= 0 && config->pm_max_children == CHILDREN &&
               scoreboard_map(inherit->scoreboard, &board) >= 0 && scoreboard_size(board) == SLOTS &&
               timerfd_gettime(inherit->limit, &timer) >= 0;
}

/* Says nothing itself, and ends when nobody holds the other end of the hand-off socket any more. */
static int stand_in(int argc, char **argv)
{
        Inherit inherit;
        char byte;

        if (inherit_parse(argc - INHERIT_ARGV_FIRST, argv + INHERIT_ARGV_FIRST, &inherit) < 0 ||
            !inherited_all(&inherit))
                return EXIT_FAILURE;
        if (fd_send(inherit.handoff, "c", 1, &inherit.channel, 1, 0) < 0)
                return EXIT_FAILURE;
        fd_close(inherit.channel);
        (void) fd_nonblock(inherit.handoff, false);
        return read(inherit.handoff, &byte, 1) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

typedef struct Fixture {
        Directory directory;
        sd_event *event;
        Generation *g;
        int handoff[2];
        int channel; /* the template's end */
        size_t n_changes;
} Fixture;

static void on_change(void *userdata)
{
        Fixture *f = userdata;

        f->n_changes++;
}

static void receive_channel(Fixture *f)
{
        size_t n;
        char byte;

        const struct timeval patience = { .tv_sec = 10 };

        assert_int_equal(fd_nonblock(f->handoff[0], false), 0);
        assert_int_equal(setsockopt(f->handoff[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
        assert_int_equal(fd_receive(f->handoff[0], &byte, 1, &f->channel, 1, &n), 1);
        assert_int_equal(n, 1);
        assert_int_equal(fd_nonblock(f->channel, true), 0);
}

static void start(Fixture *f)
{
        GenerationOwner owner = { .event = f->event, .pool = "www", .on_change = on_change, .userdata = f };
        Inherit inherit = {
                .channel = -EBADF,
                .handoff = f->handoff[1],
                .wake = f->handoff[1],
                .error = STDERR_FILENO,
                .listen = { { .fd = f->handoff[1] } },
                .n_listen = 1,
                .descriptor_limit = 1024,
        };
        Config *config;

        assert_int_equal(config_new(&config), 0);
        free(config->php_version);
        config->php_version = strdup(VERSION);
        config->pm_max_children = CHILDREN;
        config->reload_start_timeout = 60 * S;
        free(config->php_ini_scan_dir);
        config->php_ini_scan_dir = strdup(f->directory.path);
        assert_int_equal(generation_start(&owner, 7, config, &inherit, &f->g), 0);
        receive_channel(f);
}

static int fixture_open(void **state)
{
        Fixture *f = calloc(1, sizeof *f);
        char self[4096] = "";

        assert_non_null(f);
        directory_make(&f->directory);
        assert_true(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
        directory_link(&f->directory, PROGRAM, self);
        directory_write_text(&f->directory, "a.ini", "");
        assert_int_equal(setenv("PHP_POOL_WORKER_DIR", f->directory.path, 1), 0);
        assert_int_equal(sd_event_new(&f->event), 0);
        open_queue(f->handoff);
        start(f);
        *state = f;
        return 0;
}

/* Ends the template, which may have ended already, and frees the generation. */
static int fixture_close(void **state)
{
        Fixture *f = *state;

        forget_workers(&f->g->workers);
        if (f->g->template_state != TEMPLATE_DEAD)
                end_child(template_pid(f->g->template));
        generation_free(f->g);
        fd_close(f->channel);
        close_pair(f->handoff);
        sd_event_unref(f->event);
        directory_remove(&f->directory);
        free(f);
        return 0;
}

/* The template says it, and the generation hears it. */
static void say(Fixture *f, const IpcMessage *message)
{
        size_t before = f->n_changes;

        assert_int_equal(ipc_send(f->channel, message, NULL, 0), 0);
        template_hear_out(f->g->template);
        assert_int_equal(f->n_changes, before + 1);
}

static void say_started(Fixture *f)
{
        say(f, &(IpcMessage){ .type = IPC_STARTED, .version = VERSION ".1", .text = "no ext" });
}

static void say_of_slot(Fixture *f, IpcType type, int error, uint32_t slot, pid_t pid)
{
        say(f, &(IpcMessage){ .type = type, .error = error, .n = 1, .workers = { { slot, pid } } });
}

/* The template is asked for this many workers, whose slots begin at that one. */
static void expect_order(Fixture *f, uint32_t n, uint32_t first)
{
        int fds[IPC_SPAWN_MAX];
        IpcMessage message;

        assert_int_equal(ipc_receive(f->channel, &message, fds), 1);
        assert_int_equal(message.type, IPC_SPAWN);
        assert_int_equal(message.n, n);
        for (uint32_t i = 0; i < n; i++) {
                assert_int_equal(message.workers[i].slot, first + i);
                fd_close(fds[i]);
        }
}

static void expect_no_order(Fixture *f)
{
        int fds[IPC_SPAWN_MAX];
        IpcMessage message;

        assert_int_equal(ipc_receive(f->channel, &message, fds), -EAGAIN);
}

static const Worker *worker(const Fixture *f, size_t slot)
{
        return &f->g->workers.slots[slot];
}

static void be_at(Fixture *f, size_t slot, Stage stage)
{
        (void) scoreboard_set_stage(f->g->workers.board, slot, stage);
}

/* One whose first worker is live; slot 0. */
static void have_worker(Fixture *f, pid_t pid)
{
        say_started(f);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        expect_order(f, 1, 0);
        say_of_slot(f, IPC_SPAWNED, 0, 0, pid);
}

/* ---- States ---- */

static bool legal(const unsigned (*pairs)[2], size_t n, unsigned before, unsigned after)
{
        for (size_t i = 0; i < n; i++)
                if (pairs[i][0] == before && pairs[i][1] == after)
                        return true;
        return false;
}

static void test_states(void **state _unused_)
{
        static const unsigned generation[][2] = {
                { GENERATION_STARTING, GENERATION_ORDERED }, { GENERATION_ORDERED, GENERATION_READY },
                { GENERATION_READY, GENERATION_SUSPECT },    { GENERATION_STARTING, GENERATION_RETIRED },
                { GENERATION_ORDERED, GENERATION_RETIRED },  { GENERATION_READY, GENERATION_RETIRED },
                { GENERATION_SUSPECT, GENERATION_RETIRED },
        };
        static const unsigned template[][2] = {
                { TEMPLATE_STARTING, TEMPLATE_UP },   { TEMPLATE_UP, TEMPLATE_LAME },
                { TEMPLATE_STARTING, TEMPLATE_DEAD }, { TEMPLATE_UP, TEMPLATE_DEAD },
                { TEMPLATE_LAME, TEMPLATE_DEAD },
        };

        for (unsigned before = 0; before < _GENERATION_STATE_MAX; before++)
                for (unsigned after = 0; after < _GENERATION_STATE_MAX; after++)
                        assert_int_equal(generation_may_follow(before, after),
                                         legal(generation, ELEMENTSOF(generation), before, after));
        for (unsigned before = 0; before < _TEMPLATE_STATE_MAX; before++)
                for (unsigned after = 0; after < _TEMPLATE_STATE_MAX; after++)
                        assert_int_equal(template_may_follow(before, after),
                                         legal(template, ELEMENTSOF(template), before, after));
}

static void test_life(void **state)
{
        Fixture *f = *state;
        Generation *g = f->g;

        assert_int_equal(g->id, 7);
        assert_string_equal(g->id_text, "7");
        assert_int_equal(g->workers.n, SLOTS);
        assert_true(g->has_ini);
        assert_int_equal(g->deadline, g->started + 60 * S);
        assert_int_equal(g->state, GENERATION_STARTING);
        assert_false(generation_has_template(g) || generation_can_fork(g));

        say_started(f);
        assert_true(generation_has_template(g) && generation_can_fork(g));
        assert_int_equal(g->state, GENERATION_STARTING);
        assert_string_equal(g->php_version, VERSION ".1");
        assert_string_equal(g->complaint, "no ext");

        assert_int_equal(generation_spawn(g, 1), 1);
        assert_int_equal(g->state, GENERATION_ORDERED);
        say_of_slot(f, IPC_SPAWNED, 0, 0, WORKER_PID);
        g->n_stillborn = 3;
        generation_look(g);
        assert_int_equal(g->state, GENERATION_ORDERED);
        assert_int_equal(g->n_stillborn, 3);
        assert_false(generation_is_ready(g));

        be_at(f, 0, STAGE_IDLE);
        generation_look(g);
        assert_int_equal(g->state, GENERATION_READY);
        assert_int_equal(g->n_stillborn, 0);
        assert_true(generation_is_ready(g));
        generation_suspect(g);
        assert_int_equal(g->state, GENERATION_SUSPECT);
        assert_true(generation_is_ready(g) && generation_can_fork(g));

        generation_retire(g, KILL_RELOAD_DRAIN, 99);
        assert_int_equal(g->state, GENERATION_RETIRED);
        assert_false(generation_is_ready(g));
        assert_int_equal(g->deadline, 99);
        assert_int_equal(g->drain_reason, KILL_RELOAD_DRAIN);
        assert_true(g->retired_at >= g->started);
        assert_int_equal(order_of(&f->g->workers, 0), IPC_RETIRE);
}

/* A contract that is broken ends the manager. */
static void test_illegal_states_are_asserted(void **state)
{
        Fixture *f = *state;

        say_started(f);
        for (unsigned i = 0; i < 3; i++) {
                pid_t pid = fork_child();
                int status;

                if (pid == 0) {
                        (void) prctl(PR_SET_DUMPABLE, 0); /* no core */
                        (void) close(STDERR_FILENO);
                        (void) signal(SIGABRT, SIG_DFL);
                        if (i == 0)
                                generation_suspect(f->g); /* it was never ready */
                        for (unsigned k = 0; i == 1 && k < 2; k++)
                                generation_template_died(f->g);
                        for (unsigned k = 0; i == 2 && k < 2; k++)
                                generation_retire(f->g, KILL_RELOAD_DRAIN, 0);
                        _exit(0);
                }
                assert_int_equal(waitpid(pid, &status, 0), pid);
                assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
        }
}

static void test_says_started_again(void **state)
{
        Fixture *f = *state;

        have_worker(f, WORKER_PID);
        say_of_slot(f, IPC_SPAWN_FAILED, ECHILD, 0, 0); /* of one that it has reported: nothing is lost */
        assert_int_equal(f->g->template_state, TEMPLATE_UP);
        say_started(f);
        assert_int_equal(f->g->template_state, TEMPLATE_UP);
        assert_int_equal(f->g->state, GENERATION_ORDERED);
}

static void test_template_dies(void **state)
{
        Fixture *f = *state;

        have_worker(f, WORKER_PID);
        end_child(template_pid(f->g->template));
        generation_template_died(f->g);
        assert_int_equal(f->g->template_state, TEMPLATE_DEAD);
        assert_false(generation_has_template(f->g) || generation_can_fork(f->g));
        assert_int_equal(generation_alive(f->g), 1);
        assert_int_equal(template_trace(f->g->template, 0, WORKER_PID), -EBADF); /* its channel is closed */
}

static void test_failure(void **state)
{
        Fixture *f = *state;

        assert_null(f->g->failure);
        say(f, &(IpcMessage){ .type = IPC_FAILED, .text = "PHP says no" });
        generation_fail(f->g, "for another %s", "reason");
        assert_string_equal(f->g->failure, "PHP says no");
}

/* ---- Orders and what becomes of them ---- */

static void test_spawn(void **state)
{
        Fixture *f = *state;

        say_started(f);
        assert_int_equal(generation_spawn(f->g, IPC_SPAWN_MAX + 3), IPC_SPAWN_MAX + 3);
        expect_order(f, IPC_SPAWN_MAX, 0);
        expect_order(f, 3, IPC_SPAWN_MAX);
        expect_no_order(f);
        assert_int_equal(generation_count(f->g).starting, IPC_SPAWN_MAX + 3);
        assert_true(generation_expects(f->g));

        assert_int_equal(generation_spawn(f->g, SLOTS), SLOTS - IPC_SPAWN_MAX - 3);
        assert_int_equal(generation_spawn(f->g, 1), 0);
}

/* An order that does not reach the template leaves no slot behind. */
static void test_spawn_fails(void **state)
{
        Fixture *f = *state;

        say_started(f);
        template_retire(f->g->template);
        assert_int_equal(generation_spawn(f->g, 3), -EBADF);
        assert_int_equal(generation_count(f->g).starting, 0);
        assert_false(generation_expects(f->g));
        for (size_t i = 0; i < 3; i++)
                assert_int_equal(worker(f, i)->state, WORKER_NONE);
}

static void test_fork_fails(void **state)
{
        Fixture *f = *state;

        say_started(f);
        assert_int_equal(generation_spawn(f->g, 2), 2);
        say_of_slot(f, IPC_SPAWN_FAILED, EAGAIN, 1, 0);
        assert_int_equal(worker(f, 0)->state, WORKER_ORDERED);
        assert_int_equal(worker(f, 1)->state, WORKER_NONE);
        assert_int_equal(f->g->n_stillborn, 1);
        assert_true(f->g->fork_failed);
        assert_true(generation_can_fork(f->g));
}

/* Nobody knows whether they live: their slots are used no more, and a new template is wanted. */
static void test_launcher_dies(void **state)
{
        Fixture *f = *state;

        say_started(f);
        assert_int_equal(generation_spawn(f->g, 2), 2);
        say(f, &(IpcMessage){ .type = IPC_SPAWN_FAILED,
                              .error = ECHILD,
                              .n = 2,
                              .workers = { { 0, 0 }, { 1, 0 } } });
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(worker(f, i)->state, WORKER_LOST);
                assert_int_equal(order_of(&f->g->workers, i), IPC_RETIRE);
        }
        assert_int_equal(f->g->template_state, TEMPLATE_LAME);
        assert_true(generation_has_template(f->g));
        assert_false(generation_can_fork(f->g));
        expect_order(f, 2, 0);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        expect_order(f, 1, 2);
}

/* A template runs PHP, and may say anything. */
static void test_lies(void **state)
{
        Fixture *f = *state;
        Worker before;

        have_worker(f, WORKER_PID);
        before = *worker(f, 0);
        say_of_slot(f, IPC_SPAWNED, 0, 0, WORKER_PID + 1);     /* it is live already */
        say_of_slot(f, IPC_SPAWNED, 0, 1, WORKER_PID + 2);     /* nobody ordered it */
        say_of_slot(f, IPC_SPAWNED, 0, SLOTS, WORKER_PID + 3); /* there is no such slot */
        say_of_slot(f, IPC_SPAWNED, 0, UINT32_MAX, WORKER_PID + 3);
        say_of_slot(f, IPC_SPAWN_FAILED, EAGAIN, 0, 0);
        say_of_slot(f, IPC_SPAWN_FAILED, ECHILD, 1, 0);
        say_of_slot(f, IPC_SPAWN_FAILED, ECHILD, SLOTS, 0);
        assert_memory_equal(worker(f, 0), &before, sizeof before);
        assert_int_equal(worker(f, 1)->state, WORKER_NONE);
        assert_true(generation_can_fork(f->g));
        assert_int_equal(generation_alive(f->g), 1);

        assert_int_equal(generation_spawn(f->g, 1), 1);
        say_of_slot(f, IPC_SPAWNED, 0, 1, 1); /* init is no worker */
        assert_int_equal(worker(f, 1)->state, WORKER_ORDERED);
}

/* One that was ordered before its generation retired finds the order when it comes. */
static void test_forked_after_the_end(void **state)
{
        Fixture *f = *state;

        say_started(f);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        generation_retire(f->g, KILL_STOP_DRAIN, 0);
        assert_int_equal(worker(f, 0)->state, WORKER_ORDERED);
        say_of_slot(f, IPC_SPAWNED, 0, 0, WORKER_PID);
        assert_int_equal(worker(f, 0)->state, WORKER_RETIRING);
        assert_int_equal(order_of(&f->g->workers, 0), IPC_RETIRE_STOP);

        be_at(f, 0, STAGE_IDLE);
        generation_look(f->g); /* and makes nothing ready */
        assert_int_equal(f->g->state, GENERATION_RETIRED);
}

/* What the template has said by then counts. */
static void test_retire_hears_the_template_out(void **state)
{
        Fixture *f = *state;

        say_started(f);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        assert_int_equal(ipc_send(f->channel,
                                  &(IpcMessage){ .type = IPC_SPAWNED,
                                                 .n = 1,
                                                 .workers = { { 0, WORKER_PID } } },
                                  NULL, 0),
                         0);
        generation_retire(f->g, KILL_RELOAD_DRAIN, 0);
        assert_int_equal(worker(f, 0)->pid, WORKER_PID);
        assert_int_equal(worker(f, 0)->state, WORKER_RETIRING);
        assert_int_equal(order_of(&f->g->workers, 0), IPC_RETIRE);
}

static void test_which_order(void **state)
{
        static const struct {
                KillReason why;
                eventfd_t order;
        } cases[] = {
                { KILL_RELOAD_DRAIN, IPC_RETIRE },
                { KILL_START_FAILED, IPC_RETIRE },
                { KILL_STOP_DRAIN, IPC_RETIRE_STOP },
                { KILL_STALL_DRAIN, IPC_RETIRE_STOP },
        };
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                if (i > 0) {
                        (void) fixture_close(state);
                        (void) fixture_open(state);
                        f = *state;
                }
                have_worker(f, WORKER_PID);
                generation_retire(f->g, cases[i].why, 0);
                assert_int_equal(order_of(&f->g->workers, 0), cases[i].order);
        }
}

/* ---- Processes that are killed ---- */

static pid_t sleeper(void)
{
        pid_t pid = fork_child();

        if (pid == 0)
                for (;;)
                        (void) pause();
        return pid;
}

static void expect_killed(pid_t pid)
{
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void expect_alive(pid_t pid)
{
        assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
}

static void test_kill(void **state)
{
        Fixture *f = *state;
        pid_t first = sleeper(), second = sleeper();

        have_worker(f, first);
        assert_int_equal(generation_spawn(f->g, 2), 2);
        say_of_slot(f, IPC_SPAWNED, 0, 1, second);
        be_at(f, 0, STAGE_RUNNING);
        be_at(f, 1, STAGE_IDLE);
        assert_int_equal(generation_kill(f->g, KILL_STALL_DRAIN), 1);
        assert_int_equal(worker(f, 0)->killed, KILL_STALL_DRAIN);
        assert_int_equal(worker(f, 1)->killed, KILL_STALL_DRAIN);
        assert_int_equal(worker(f, 2)->killed, KILL_NONE);
        assert_int_equal(f->g->template_killed, KILL_STALL_DRAIN);
        expect_killed(first);
        expect_killed(second);
        expect_killed(template_pid(f->g->template));
        generation_template_died(f->g);

        assert_int_equal(generation_kill(f->g, KILL_HANDOVER), 0); /* once */
        assert_int_equal(worker(f, 0)->killed, KILL_STALL_DRAIN);
        assert_int_equal(f->g->template_killed, KILL_STALL_DRAIN);
}

static void test_kill_accepting(void **state)
{
        Fixture *f = *state;
        pid_t idle = sleeper(), busy = sleeper();

        have_worker(f, idle);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        say_of_slot(f, IPC_SPAWNED, 0, 1, busy);
        be_at(f, 0, STAGE_IDLE);
        be_at(f, 1, STAGE_RUNNING);
        generation_kill_accepting(f->g);
        expect_killed(idle);
        expect_alive(busy);
        assert_int_equal(worker(f, 0)->killed, KILL_HANDOVER);
        assert_int_equal(worker(f, 1)->killed, KILL_NONE);
        assert_int_equal(f->g->template_killed, KILL_NONE);
        end_child(busy);
}

static void test_not_ready_in_time(void **state)
{
        Fixture *f = *state;
        pid_t late = sleeper();
        usec_t due;

        have_worker(f, late);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        say_of_slot(f, IPC_SPAWNED, 0, 1, WORKER_PID);
        be_at(f, 1, STAGE_IDLE);
        generation_look(f->g);

        due = worker(f, 0)->ordered + 60 * S;
        assert_int_equal(generation_check_starts(f->g, due - 1), due);
        expect_alive(late);
        assert_int_equal(generation_check_starts(f->g, due), 0);
        assert_int_equal(worker(f, 0)->killed, KILL_NOT_READY);
        assert_int_equal(worker(f, 1)->killed, KILL_NONE); /* it was ready */
        expect_killed(late);
        assert_int_equal(f->g->template_killed, KILL_NONE);
}

static void test_order_not_carried_out_in_time(void **state)
{
        Fixture *f = *state;
        usec_t due;

        say_started(f);
        assert_int_equal(generation_check_starts(f->g, USEC_INFINITY - 1), 0);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        assert_int_equal(generation_spawn(f->g, 1), 1);
        due = worker(f, 0)->ordered + 60 * S;
        f->g->workers.slots[1].ordered = worker(f, 0)->ordered + S;
        assert_int_equal(generation_check_starts(f->g, due - 1), due);
        assert_int_equal(f->g->template_killed, KILL_NONE);
        assert_int_equal(generation_check_starts(f->g, due), due + S);
        assert_int_equal(f->g->template_killed, KILL_NO_ORDER);
        expect_killed(template_pid(f->g->template));
        generation_template_died(f->g);
        assert_int_equal(generation_check_starts(f->g, due + S), 0);
        assert_int_equal(f->g->template_killed, KILL_NO_ORDER);
}

/* ---- Events ---- */

static void test_limit_timer(void **state)
{
        Fixture *f = *state;

        assert_true(scoreboard_claim_timer(f->g->workers.board)); /* it was offered */
        assert_false(f->g->limits_due);
        assert_int_equal(timerfd_settime(f->g->limit_timer, 0, &(struct itimerspec){ .it_value.tv_nsec = 1 },
                                         NULL),
                         0);
        assert_true(sd_event_run(f->event, 10 * S) > 0);
        assert_true(f->g->limits_due);
        assert_int_equal(f->n_changes, 1);
}

/* The timer has elapsed: the slow log is asked for, once, and who counts it is told so. */
static void test_slow_request(void **state)
{
        Fixture *f = *state;
        int fds[IPC_SPAWN_MAX];
        IpcMessage message;
        WorkerRecord *record;

        f->g->config->request_slowlog_timeout = S;
        have_worker(f, WORKER_PID);
        be_at(f, 0, STAGE_RUNNING);
        record = scoreboard_begin(f->g->workers.board, 0);
        record->request_started = now_monotonic() - 5 * S;
        scoreboard_end(f->g->workers.board, 0);
        assert_int_equal(enforce_limits(f->g), 0); /* nothing has elapsed */
        expect_no_order(f);

        f->g->limits_due = true;
        assert_int_equal(enforce_limits(f->g), 1);
        assert_false(f->g->limits_due);
        assert_int_equal(ipc_receive(f->channel, &message, fds), 1);
        assert_int_equal(message.type, IPC_TRACE);
        assert_int_equal(message.workers[0].slot, 0);
        assert_int_equal(message.workers[0].pid, WORKER_PID);
        f->g->limits_due = true;
        assert_int_equal(enforce_limits(f->g), 0);
        expect_no_order(f);
}

static void test_hears_by_the_loop(void **state)
{
        Fixture *f = *state;
        IpcMessage message = { .type = IPC_STARTED, .version = VERSION };

        assert_int_equal(ipc_send(f->channel, &message, NULL, 0), 0);
        assert_true(sd_event_run(f->event, 10 * S) > 0);
        assert_int_equal(f->g->template_state, TEMPLATE_UP);
        assert_int_equal(f->n_changes, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_states),
                TEST(test_life),
                TEST(test_illegal_states_are_asserted),
                TEST(test_says_started_again),
                TEST(test_template_dies),
                TEST(test_failure),
                TEST(test_spawn),
                TEST(test_spawn_fails),
                TEST(test_fork_fails),
                TEST(test_launcher_dies),
                TEST(test_lies),
                TEST(test_forked_after_the_end),
                TEST(test_retire_hears_the_template_out),
                TEST(test_which_order),
                TEST(test_kill),
                TEST(test_kill_accepting),
                TEST(test_not_ready_in_time),
                TEST(test_order_not_carried_out_in_time),
                TEST(test_limit_timer),
                TEST(test_slow_request),
                TEST(test_hears_by_the_loop),
        };

        if (argc > INHERIT_ARGV_FIRST)
                return stand_in(argc, argv);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
