/* SPDX-License-Identifier: MIT */

/*
 * A worker's requests, pulled in a process of its own, which runs a script of ours for each. The test is the
 * manager (it has the other end of the hand-off queue, the scoreboard and the retire eventfd) and all
 * clients.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "helpers/child.h"
#include "helpers/fastcgi.h"
#include "helpers/fds.h"
#include "helpers/handoff.h"
#include "helpers/text.h"
#include "ipc/exit-status.h"
#include "ipc/messages.h"
#include "worker/serve/patience.h"
#include "worker/serve/server.h"
#include "worker/transport/fastcgi.h"

#define LISTENERS 2
#define SLOT 1
#define SPIN (CLOCKS_PER_SEC / 50) /* the processor time of /spin */
#define PATIENCE (30 * 1000) /* ms: for what must happen, however busy the machine is */

typedef struct Fixture {
        WorkerContext context;
        Config *config;
        Scoreboard *board; /* the manager's */
        struct sockaddr_un address[LISTENERS];
        int manager;   /* its end of the hand-off queue */
        int retire_fd;
        int gate[2];   /* a request for /gate waits for a byte */
        pid_t worker;
} Fixture;

/* For the script, which is told nothing else. */
static int script_gate = -EBADF;

static PhpOutcome run_script(Request *request)
{
        const char *name = params_get(request->params, "SCRIPT_NAME", NULL);
        static unsigned served;
        clock_t spin_until = clock() + SPIN;
        char text[32];
        char c;

        request_script_known(request, name);
        while (streq(name, "/spin") && clock() < spin_until)
                ;
        if (streq(name, "/gate"))
                (void) !read(script_gate, &c, 1);
        (void) snprintf(text, sizeof text, "%04u", served++);
        (void) request_write(request, text, strlen(text));
        (void) request_finish(request);
        return (PhpOutcome) { .status = 200, .memory = 4096, .must_exit = streq(name, "/exit") };
}

/* ---- What the worker waits for in vain ---- */

/* The time-outs that passed, in microseconds, however busy the machine is. Shared with the worker. */
static _Atomic uint64_t *waited;

int ppoll(struct pollfd *fds, nfds_t n_fds, const struct timespec *timeout, const sigset_t *mask)
{
        struct timespec left = timeout ? *timeout : (struct timespec){};
        int n;

        n = (int) syscall(SYS_ppoll, fds, n_fds, timeout ? &left : NULL, mask, _NSIG / 8);
        if (n == 0 && waited)
                *waited += (uint64_t) timeout->tv_sec * USEC_PER_SEC + (uint64_t) timeout->tv_nsec / 1000;
        return n;
}

/* ---- The worker ---- */

static ExitStatus serve(const Fixture *f)
{
        ExitStatus status;
        Request *request;
        Server *server;

        if (server_open(&f->context, SLOT, f->retire_fd, &server) < 0)
                return EXIT_STATUS_RESOURCES;
        while ((request = server_next(server))) {
                PhpOutcome outcome = run_script(request);

                server_done(server, &outcome);
        }
        status = server_exit_status(server);
        server_close(server);
        return status;
}

static void add_listener(Fixture *f, size_t i)
{
        struct sockaddr_un *a = &f->address[i];
        int fd;

        *a = (struct sockaddr_un) { .sun_family = AF_UNIX };
        (void) snprintf(a->sun_path + 1, sizeof a->sun_path - 1, "php-pool-test-%d-%zu", getpid(), i);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) a, sizeof *a), 0);
        assert_int_equal(listen(fd, 64), 0);
        f->context.inherit.listen[i].fd = fd;
        f->context.unix_socket[i] = true;
        f->context.inherit.n_listen++;
}

static void fixture_open(Fixture *f, uint64_t max_requests)
{
        static const Transport *const transports[_PROTOCOL_MAX] = {
                [PROTOCOL_FASTCGI] = &fastcgi_transport,
        };
        int pair[2];

        *f = (Fixture) { .context = { .pool = "test", .transports = transports } };
        assert_int_equal(config_new(&f->config), 0);
        f->config->pm_max_requests = max_requests;
        f->context.config = f->config;
        assert_int_equal(scoreboard_new(SLOT + 1, &f->board), 0);
        f->context.board = f->board;
        for (size_t i = 0; i < LISTENERS; i++)
                add_listener(f, i);
        open_queue(pair);
        f->manager = pair[0];
        f->context.inherit.handoff = pair[1];
        f->context.inherit.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        f->retire_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        assert_int_equal(pipe(f->gate), 0);

        scoreboard_reserve(f->board, SLOT);
        f->worker = fork_child();
        if (f->worker == 0) {
                fd_close(f->manager);
                script_gate = f->gate[0];
                if (scoreboard_attach(f->board, SLOT) < 0)
                        _exit(99);
                _exit((int) serve(f));
        }
}

/* The worker has ended by itself, or does so now. */
static void fixture_close(Fixture *f, int status)
{
        expect_exit(f->worker, status);
        assert_int_equal(scoreboard_stage(f->board, SLOT), STAGE_ENDING);

        for (size_t i = 0; i < LISTENERS; i++)
                fd_close(f->context.inherit.listen[i].fd);
        fd_close(f->manager);
        fd_close(f->context.inherit.handoff);
        fd_close(f->context.inherit.wake);
        fd_close(f->retire_fd);
        fd_close(f->gate[0]);
        fd_close(f->gate[1]);
        scoreboard_free(f->board);
        config_free(f->config);
}

static void retire(Fixture *f)
{
        assert_int_equal(eventfd_write(f->retire_fd, IPC_RETIRE_STOP), 0);
}

/* The end of most tests. */
static void fixture_retire(Fixture *f)
{
        retire(f);
        fixture_close(f, EXIT_STATUS_RETIRED);
}

static void open_gate(Fixture *f)
{
        assert_int_equal(write(f->gate[1], "x", 1), 1);
}

static void wait_readable(int fd)
{
        struct pollfd p = { .fd = fd, .events = POLLIN };

        assert_int_equal(poll(&p, 1, PATIENCE), 1);
}

static void wait_stage(Fixture *f, Stage stage)
{
        usec_t deadline = now_monotonic() + PATIENCE * USEC_PER_MSEC;

        while (scoreboard_stage(f->board, SLOT) != stage) {
                assert_true(now_monotonic() < deadline);
                sched_yield();
        }
}

/* ---- Clients ---- */

static int client_connect(Fixture *f, size_t listener)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_true(fd >= 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &f->address[listener], sizeof f->address[0]), 0);
        return fd;
}

static void ask(int fd, const char *script, bool keep)
{
        _cleanup_(params_freep) Params *params = NULL;
        Bytes b = {};

        assert_int_equal(params_new(&params), 0);
        set_param(params, "SCRIPT_NAME", script);
        set_param(params, "REQUEST_METHOD", "POST");
        set_param(params, "REQUEST_URI", "/uri?a");
        set_param(params, "CONTENT_LENGTH", "0");
        add_head_of(&b, 1, FCGI_RESPONDER, keep, params);
        add_record(&b, FCGI_STDIN, 1, NULL, 0);
        send_bytes(fd, &b);
        bytes_clear(&b);
}

/* Waits for a whole answer and returns its number. */
static unsigned answer(int fd)
{
        char number[5] = {};
        Bytes b = {};

        wait_readable(fd);
        receive_bytes(fd, &b, FCGI_HEADER_SIZE + 4 + 4 + FCGI_END_REQUEST_SIZE);
        memcpy(number, b.data + FCGI_HEADER_SIZE, 4);
        bytes_clear(&b);
        return (unsigned) strtoul(number, NULL, 10);
}

/* The worker parks a connection: takes it as the manager does. */
static int take_parked(Fixture *f, Origin *ret)
{
        int fd = -EBADF;

        wait_readable(f->manager);
        assert_int_equal(take_over(f->manager, HANDOFF_MANAGER, ret, &fd), 1);
        return fd;
}

/* ---- Tests ---- */

static void test_a_request(void **state _unused_)
{
        WorkerRecord record;
        int client;
        Fixture f;

        fixture_open(&f, 0);
        wait_readable(f.context.inherit.wake); /* it is ready for the first time */
        wait_stage(&f, STAGE_IDLE);

        client = client_connect(&f, 0);
        ask(client, "/gate", false);
        wait_stage(&f, STAGE_RUNNING);
        assert_true(scoreboard_read(f.board, SLOT, &record));
        assert_string_equal(record.method, "POST");
        assert_string_equal(record.uri, "/uri?a");
        assert_string_equal(record.script, "/gate");
        assert_int_equal(record.connections, 1);
        assert_int_equal(record.requests, 0);

        open_gate(&f);
        (void) answer(client);
        expect_eof(client);
        wait_stage(&f, STAGE_IDLE);
        assert_true(scoreboard_read(f.board, SLOT, &record));
        assert_int_equal(record.requests, 1);
        assert_int_equal(record.request_memory, 4096);
        assert_true(record.request_duration > 0);
        assert_int_equal(record.request_ended, record.request_started + record.request_duration);
        fd_close(client);
        fixture_retire(&f);
}

/* A request's processor time is there while somebody looks at the status, and only then. */
static void test_cpu(void **state _unused_)
{
        static const bool watched[] = { false, true, true, false, true };
        WorkerRecord record;
        Fixture f;

        fixture_open(&f, 0);
        for (size_t i = 0; i < ELEMENTSOF(watched); i++) {
                int client;

                wait_stage(&f, STAGE_IDLE);
                scoreboard_set_watched(f.board, watched[i]);
                client = client_connect(&f, 0);
                ask(client, "/spin", false);
                (void) answer(client);
                expect_eof(client);
                wait_stage(&f, STAGE_IDLE);
                assert_true(scoreboard_read(f.board, SLOT, &record));
                if (watched[i])
                        assert_true(record.request_cpu >= SPIN * 9 / 10 &&
                                    record.request_cpu <= SPIN * 3 / 2);
                else
                        assert_int_equal(record.request_cpu, 0);
                fd_close(client);
        }
        fixture_retire(&f);
}

/* It wakes the manager where that asked for it, and only then. */
static void test_wake(void **state _unused_)
{
        eventfd_t value;
        int client;
        Fixture f;

        fixture_open(&f, 0);
        wait_readable(f.context.inherit.wake);
        assert_int_equal(eventfd_read(f.context.inherit.wake, &value), 0);

        client = client_connect(&f, 0);
        ask(client, "/a", true);
        (void) answer(client);
        wait_stage(&f, STAGE_IDLE);
        assert_int_equal(eventfd_read(f.context.inherit.wake, &value), -1);

        scoreboard_arm(f.board, 1, 0);
        ask(client, "/a", true);
        (void) answer(client);
        assert_int_equal(eventfd_read(f.context.inherit.wake, &value), 0);
        fd_close(client);
        fixture_retire(&f);
}

static void test_kept_connection_makes_room_and_comes_back(void **state _unused_)
{
        int kept, other, parked;
        Origin origin;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 1);
        for (unsigned i = 0; i < 3; i++) {
                ask(kept, "/a", true);
                assert_int_equal(answer(kept), i);
        }
        expect_nothing(f.manager);

        other = client_connect(&f, 0);
        ask(other, "/a", false);
        assert_int_equal(answer(other), 3);
        parked = take_parked(&f, &origin);
        assert_true(origin.unix_socket);

        ask(kept, "/a", true);
        assert_int_equal(hand_off(f.manager, HANDOFF_SERVE, &origin, parked), 0);
        fd_close(parked);
        assert_int_equal(answer(kept), 4);
        fd_close(kept);
        fd_close(other);
        fixture_retire(&f);
}

static void test_silent_clients_hold_nobody(void **state _unused_)
{
        int silent[20], client, parked;
        Origin origin;
        Fixture f;

        fixture_open(&f, 0);
        for (size_t i = 0; i < ELEMENTSOF(silent); i++)
                silent[i] = client_connect(&f, 0);
        client = client_connect(&f, 0);
        ask(client, "/a", false);
        (void) answer(client);
        fd_close(client);
        for (size_t i = 0; i < ELEMENTSOF(silent); i++)
                fd_close(take_parked(&f, &origin));
        for (size_t i = 0; i < ELEMENTSOF(silent); i++) {
                expect_eof(silent[i]); /* the last reference was ours: the worker keeps no copy */
                fd_close(silent[i]);
        }

        parked = client_connect(&f, 0); /* silent as well, and the worker's own when it retires */
        wait_readable(parked < 0 ? -1 : f.context.inherit.wake);
        fixture_retire(&f);
        fd_close(parked);
}

/* A whole request, of which the first byte is sent at once and the rest later. */
static Bytes ask_in_part(int fd)
{
        Bytes b = {};

        add_request(&b, 1, true, NULL, 0, 0);
        assert_int_equal(write(fd, b.data, 1), 1);
        memmove(b.data, b.data + 1, --b.size);
        return b;
}

/* Also where the worker has nothing else to do: half a request is the manager's to wait for. */
static void test_half_a_request_holds_nobody(void **state _unused_)
{
        int client, parked;
        Origin origin;
        Bytes rest;
        Fixture f;

        fixture_open(&f, 0);
        client = client_connect(&f, 0);
        rest = ask_in_part(client);
        for (size_t i = 0; i < 3; i++) {
                parked = take_parked(&f, &origin);
                assert_true(origin.head >= 0 && origin.deadline > now_monotonic());
                assert_int_equal(origin.moves, i + 1);
                assert_int_equal(write(client, rest.data + i, 1), 1);
                assert_int_equal(hand_off(f.manager, HANDOFF_SERVE, &origin, parked), 0);
                origin_close_both(&origin, parked);
        }
        parked = take_parked(&f, &origin);
        wait_stage(&f, STAGE_IDLE);
        assert_int_equal(io_write_all(client, rest.data + 3, rest.size - 3), 0);
        assert_int_equal(hand_off(f.manager, HANDOFF_SERVE, &origin, parked), 0);
        origin_close_both(&origin, parked);
        (void) answer(client);
        bytes_clear(&rest);

        rest = ask_in_part(client); /* it is the worker's own now, and retires with it */
        retire(&f);
        parked = take_parked(&f, &origin);
        assert_true(origin.head >= 0);
        assert_int_equal(origin.moves, 1);
        origin_close_both(&origin, parked);
        bytes_clear(&rest);
        fd_close(client);
        fixture_close(&f, EXIT_STATUS_RETIRED);
}

static void test_sources_take_turns(void **state _unused_)
{
        int gate, clients[LISTENERS][4];
        Fixture f;

        fixture_open(&f, 0);
        gate = client_connect(&f, 0);
        ask(gate, "/gate", false);
        wait_stage(&f, STAGE_RUNNING);
        for (size_t i = 0; i < LISTENERS; i++)
                for (size_t k = 0; k < 4; k++) {
                        clients[i][k] = client_connect(&f, i);
                        ask(clients[i][k], "/a", false);
                }
        open_gate(&f);
        (void) answer(gate);
        fd_close(gate);

        /* Numbers 1 to 8: each socket has every second one. */
        for (size_t k = 0; k < 4; k++) {
                unsigned first = answer(clients[0][k]), second = answer(clients[1][k]);

                assert_true(first >= 2 * k + 1 && first <= 2 * k + 2);
                assert_true(second >= 2 * k + 1 && second <= 2 * k + 2);
                fd_close(clients[0][k]);
                fd_close(clients[1][k]);
        }
        fixture_retire(&f);
}

static void test_retire_parks_the_own_connection(void **state _unused_)
{
        Origin origin;
        int kept;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 0);
        ask(kept, "/a", true);
        (void) answer(kept);
        retire(&f);
        fd_close(take_parked(&f, &origin));
        fd_close(kept);
        fixture_close(&f, EXIT_STATUS_RETIRED);
}

/* Where the pool stops, what was handed out before is served, and what the own connection has asked. */
static void test_stop_serves_what_was_handed_out(void **state _unused_)
{
        int kept, pair[2], handed[3];
        Origin origin = ORIGIN_UNIX;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 0);
        ask(kept, "/gate", true);
        wait_stage(&f, STAGE_RUNNING);
        for (size_t i = 0; i < ELEMENTSOF(handed); i++) {
                open_stream(pair);
                assert_int_equal(fd_nonblock(pair[1], true), 0);
                handed[i] = pair[0];
                ask(handed[i], "/a", true);
                assert_int_equal(hand_off(f.manager, HANDOFF_SERVE, &origin, pair[1]), 0);
                fd_close(pair[1]);
        }
        ask(kept, "/a", true);
        retire(&f);
        open_gate(&f);
        assert_int_equal(answer(kept), 0);
        (void) answer(kept);
        for (size_t i = 0; i < ELEMENTSOF(handed); i++)
                (void) answer(handed[i]);
        for (size_t i = 0; i <= ELEMENTSOF(handed); i++)
                fd_close(take_parked(&f, &origin)); /* each of them outlives the worker */
        for (size_t i = 0; i < ELEMENTSOF(handed); i++)
                fd_close(handed[i]);
        fd_close(kept);
        fixture_close(&f, EXIT_STATUS_RETIRED);
}

/*
 * What was accepted is answered, and one more: the kernel may have woken nobody else for it. What else waits
 * stays for others.
 */
static void test_retire_during_a_request(void **state _unused_)
{
        int busy, waiting[LISTENERS], more;
        Fixture f;

        fixture_open(&f, 0);
        busy = client_connect(&f, 0);
        ask(busy, "/gate", false);
        wait_stage(&f, STAGE_RUNNING);
        for (size_t i = 0; i < LISTENERS; i++) {
                waiting[i] = client_connect(&f, i);
                ask(waiting[i], "/a", false);
        }
        more = client_connect(&f, 0);
        ask(more, "/a", false);
        retire(&f);
        open_gate(&f);
        (void) answer(busy);
        fd_close(busy);
        for (size_t i = 0; i < LISTENERS; i++) {
                (void) answer(waiting[i]);
                fd_close(waiting[i]);
        }
        wait_stage(&f, STAGE_ENDING);
        expect_nothing(more);
        fd_close(more);
        fixture_close(&f, EXIT_STATUS_RETIRED);
}

/* After a reload, what waits must not meet the old generation: it is passed on, unread. */
static void test_retire_for_a_reload_passes_on(void **state _unused_)
{
        int busy, waiting;
        Origin origin;
        Fixture f;

        fixture_open(&f, 0);
        busy = client_connect(&f, 0);
        ask(busy, "/gate", false);
        wait_stage(&f, STAGE_RUNNING);
        waiting = client_connect(&f, 0);
        ask(waiting, "/a", false);
        assert_int_equal(eventfd_write(f.retire_fd, IPC_RETIRE), 0);
        open_gate(&f);
        (void) answer(busy);
        fd_close(take_parked(&f, &origin));
        fd_close(busy);
        fd_close(waiting);
        fixture_close(&f, EXIT_STATUS_RETIRED);
}

/* The same with a connection of the hand-off queue, and a worker that ends by itself. */
static void test_last_request_leaves_no_wake_up_behind(void **state _unused_)
{
        int busy, waiting, handed[2];
        Origin origin = ORIGIN_UNIX;
        Fixture f;

        fixture_open(&f, 2);
        busy = client_connect(&f, 0);
        ask(busy, "/gate", false);
        wait_stage(&f, STAGE_RUNNING);
        waiting = client_connect(&f, 1);
        ask(waiting, "/a", false);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, handed), 0);
        ask(handed[0], "/a", false);
        assert_int_equal(hand_off(f.manager, HANDOFF_SERVE, &origin, handed[1]), 0);
        fd_close(handed[1]);
        open_gate(&f);
        (void) answer(busy);
        (void) answer(waiting); /* its turn is the first after that of socket 0 */
        fd_close(take_parked(&f, &origin));
        fd_close(busy);
        fd_close(waiting);
        fd_close(handed[0]);
        fixture_close(&f, EXIT_STATUS_MAX_REQUESTS);
}

/* The manager's record of another worker says that it is idle. */
static void add_idle_worker(Fixture *f)
{
        scoreboard_reserve(f->board, 0);
        assert_int_equal(scoreboard_attach(f->board, 0), 0);
        (void) scoreboard_set_stage(f->board, 0, STAGE_IDLE);
}

/* What came with one wake-up, and nobody else was told, is passed on while others are idle. */
static void test_one_wake_up_for_two_sockets(void **state _unused_)
{
        int gate, clients[LISTENERS];
        Origin origin;
        Fixture f;

        fixture_open(&f, 0);
        gate = client_connect(&f, 0);
        ask(gate, "/gate", false);
        wait_stage(&f, STAGE_RUNNING);
        add_idle_worker(&f);
        for (size_t i = 0; i < LISTENERS; i++) {
                clients[i] = client_connect(&f, i);
                ask(clients[i], "/gate", false);
        }
        open_gate(&f);
        (void) answer(gate);
        fd_close(gate);

        fd_close(take_parked(&f, &origin)); /* while the other is still busy */
        assert_true(origin.unix_socket);
        open_gate(&f);
        assert_int_equal(answer(clients[0]), 1);
        for (size_t i = 0; i < LISTENERS; i++)
                fd_close(clients[i]);
        fixture_retire(&f);
}

static void test_one_wake_up_for_the_own_connection_and_a_socket(void **state _unused_)
{
        Origin origin;
        int kept, other;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 1);
        ask(kept, "/a", true);
        assert_int_equal(answer(kept), 0);
        wait_stage(&f, STAGE_IDLE);
        add_idle_worker(&f);
        assert_int_equal(kill(f.worker, SIGSTOP), 0);
        other = client_connect(&f, 0);
        ask(other, "/gate", false);
        ask(kept, "/a", true);
        assert_int_equal(kill(f.worker, SIGCONT), 0);

        fd_close(take_parked(&f, &origin));
        open_gate(&f);
        assert_int_equal(answer(other), 1);
        fd_close(kept);
        fd_close(other);
        fixture_retire(&f);
}

static void test_max_requests(void **state _unused_)
{
        Origin origin;
        int kept;
        Fixture f;

        fixture_open(&f, 2);
        kept = client_connect(&f, 0);
        for (unsigned i = 0; i < 2; i++) {
                ask(kept, "/a", true);
                (void) answer(kept);
        }
        fd_close(take_parked(&f, &origin));
        fd_close(kept);
        fixture_close(&f, EXIT_STATUS_MAX_REQUESTS);
}

static void test_end_by_php(void **state _unused_)
{
        Origin origin;
        int kept;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 0);
        ask(kept, "/exit", true);
        (void) answer(kept);
        fd_close(take_parked(&f, &origin));
        fd_close(kept);
        fixture_close(&f, EXIT_STATUS_PHP_EXIT);
}

static void test_manager_gone(void **state _unused_)
{
        int kept;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 0);
        ask(kept, "/gate", true);
        wait_stage(&f, STAGE_RUNNING);
        ask(kept, "/a", true); /* nobody else can answer this one */
        f.manager = fd_close(f.manager);
        open_gate(&f);
        assert_int_equal(answer(kept), 0);
        assert_int_equal(answer(kept), 1);
        expect_eof(kept);
        fd_close(kept);
        fixture_close(&f, EXIT_STATUS_RETIRED);
}

/* While the manager takes no more, the own connection is served on, and others as soon as there is room. */
static void test_full_queue(void **state _unused_)
{
        Origin origin = { .head = -EBADF };
        int kept, other;
        Fixture f;

        fixture_open(&f, 0);
        kept = client_connect(&f, 1);
        ask(kept, "/a", true);
        assert_int_equal(answer(kept), 0);
        while (hand_off(f.context.inherit.handoff, HANDOFF_PARK, &origin, f.retire_fd) == 0)
                ;
        other = client_connect(&f, 0);
        ask(other, "/a", false);
        for (unsigned i = 1; i < 10; i++) {
                ask(kept, "/a", true);
                assert_int_equal(answer(kept), i);
        }

        do
                fd_close(take_parked(&f, &origin));
        while (!origin.unix_socket);
        assert_int_equal(answer(other), 10);
        fd_close(kept);
        fd_close(other);
        fixture_retire(&f);
}

/*
 * Clients that say nothing, one behind the other, hold those behind them by half a millisecond each, though
 * other workers are idle: in the listening sockets and in the hand-off queue. The last one may be waited
 * for.
 */
static void test_silent_clients_do_not_add_up(void **state _unused_)
{
        int silent[LISTENERS][30], handed[30], client, pair[2];
        Origin origin = ORIGIN_UNIX;
        Fixture f;

        fixture_open(&f, 0);
        add_idle_worker(&f);
        assert_int_equal(kill(f.worker, SIGSTOP), 0);
        for (size_t k = 0; k < 30; k++) {
                for (size_t i = 0; i < LISTENERS; i++)
                        silent[i][k] = client_connect(&f, i);
                assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                                 0);
                handed[k] = pair[0];
                assert_int_equal(hand_off(f.manager, HANDOFF_SERVE, &origin, pair[1]), 0);
                fd_close(pair[1]);
        }
        client = client_connect(&f, 0);
        ask(client, "/a", false);
        *waited = 0;
        assert_int_equal(kill(f.worker, SIGCONT), 0);
        (void) answer(client);
        assert_true(*waited <= (LISTENERS + 1) * 30 * PATIENCE_USEC + PATIENCE_IDLE_USEC);

        fd_close(client);
        for (size_t k = 0; k < 30; k++) {
                for (size_t i = 0; i < LISTENERS; i++)
                        fd_close(silent[i][k]);
                fd_close(handed[k]);
        }
        fixture_retire(&f);
}

/* Where nobody waits, a client has some time to begin in: its connection stays with the worker. */
static void test_patience_while_nobody_waits(void **state _unused_)
{
        int client;
        Fixture f;

        fixture_open(&f, 0);
        add_idle_worker(&f);
        *waited = 0;
        client = client_connect(&f, 0);
        while (*waited == 0)
                sched_yield();
        assert_true(*waited >= PATIENCE_IDLE_USEC * 9 / 10 && *waited <= PATIENCE_IDLE_USEC);
        ask(client, "/a", false);
        (void) answer(client);
        expect_nothing(f.manager);
        fd_close(client);
        fixture_retire(&f);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_a_request),
                cmocka_unit_test(test_cpu),
                cmocka_unit_test(test_wake),
                cmocka_unit_test(test_kept_connection_makes_room_and_comes_back),
                cmocka_unit_test(test_silent_clients_hold_nobody),
                cmocka_unit_test(test_silent_clients_do_not_add_up),
                cmocka_unit_test(test_patience_while_nobody_waits),
                cmocka_unit_test(test_half_a_request_holds_nobody),
                cmocka_unit_test(test_sources_take_turns),
                cmocka_unit_test(test_retire_parks_the_own_connection),
                cmocka_unit_test(test_stop_serves_what_was_handed_out),
                cmocka_unit_test(test_retire_during_a_request),
                cmocka_unit_test(test_retire_for_a_reload_passes_on),
                cmocka_unit_test(test_last_request_leaves_no_wake_up_behind),
                cmocka_unit_test(test_one_wake_up_for_two_sockets),
                cmocka_unit_test(test_one_wake_up_for_the_own_connection_and_a_socket),
                cmocka_unit_test(test_max_requests),
                cmocka_unit_test(test_end_by_php),
                cmocka_unit_test(test_manager_gone),
                cmocka_unit_test(test_full_queue),
        };

        waited = mmap(NULL, sizeof *waited, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (waited == MAP_FAILED)
                return 1;
        return cmocka_run_group_tests(tests, NULL, NULL);
}
