/* SPDX-License-Identifier: MIT */

/*
 * The worker's loop: see serve.h. It has at most one connection, its own: one that it serves, that is kept
 * (FCGI_KEEP_CONN), or that has said nothing yet.
 *
 * Nobody waits behind an idle connection: as soon as there is other work and its own has nothing to read,
 * the worker parks it with the manager (ipc/handoff.h). A worker that retires takes nothing with it either,
 * and no wake-up: what one told this worker, the kernel told nobody else (EPOLLEXCLUSIVE).
 *
 * Server owns the connection and the sources. No PHP but php_serve().
 */

#include "worker/serve/serve.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/losses.h"
#include "ipc/messages.h"
#include "worker/php/php.h"
#include "worker/request/wait.h"
#include "worker/serve/cpu.h"
#include "worker/serve/limit.h"
#include "worker/serve/memory.h"
#include "worker/serve/report.h"
#include "worker/serve/sources.h"
#include "worker/serve/take.h"
#include "worker/transport/connection.h"
#include "worker/transport/patience.h"

/* How often in a row a worker's own connection may go first while others wait. */
#define OWN_TURNS_MAX 4

/* Where the descriptors that are on their way are too many for one more. */
#define PARK_PAUSE (10 * USEC_PER_MSEC)

typedef struct Server {
        const WorkerContext *context;
        Taker taker;
        Report report;
        Sources sources;
        Work work;             /* what is left of the last wake-up */
        Connection *connection;
        Request *request;      /* that PHP has, or NULL */
        CpuMeter cpu;
        char peer[INET6_ADDRSTRLEN]; /* of the connection, once somebody asked; "" before */
        int retire_fd;         /* borrowed */
        bool ended;            /* no new work, status says why */
        bool stopping;         /* and nobody else will do it */
        bool untold;           /* there were losses of a log that could not be told */
        ExitStatus status;
        uint64_t max_requests; /* this worker's own, with its jitter; 0 for no limit */
        unsigned own_turns;
        usec_t last_end;       /* CLOCK_MONOTONIC: of last_patience(); 0 before its first call */
} Server;

/* ---- Hooks of the connection ---- */

static void on_reading(void *userdata)
{
        report_stage(&((Server *) userdata)->report, STAGE_READING);
}

static void on_script_known(void *userdata, const char *script)
{
        Server *s = userdata;

        report_script(&s->report, script, s->request->user);
        report_stage(&s->report, STAGE_RUNNING);
        limit_begin(s->context);
}

static void on_finishing(void *userdata)
{
        report_stage(&((Server *) userdata)->report, STAGE_FINISHING);
}

/* A client that does not take its answer is under the request's limit, as the script was. */
static void on_waiting(void *userdata, bool begins)
{
        Server *s = userdata;
        Stage stage = scoreboard_stage(s->context->board, s->report.slot);

        if (begins && stage == STAGE_FINISHING) {
                report_sending(&s->report);
                limit_begin(s->context);
        } else if (!begins && stage == STAGE_SENDING)
                report_stage(&s->report, STAGE_FINISHING);
}

static void on_progress(void *userdata)
{
        report_progress(&((Server *) userdata)->report);
}

static int park(Server *s);

static void on_released(void *userdata)
{
        (void) park(userdata);
}

static void on_closing(void *userdata, int fd)
{
        sources_forget_own(&((Server *) userdata)->sources, fd);
}

static const ConnectionHooks hooks = {
        .reading = on_reading,
        .script_known = on_script_known,
        .finishing = on_finishing,
        .waiting = on_waiting,
        .progress = on_progress,
        .released = on_released,
        .closing = on_closing,
};

/* ---- The server ---- */

static void server_end(Server *s, ExitStatus status)
{
        s->ended = true;
        s->status = status;
}

/* Without an order, it is the manager that is gone. */
static void retire(Server *s)
{
        eventfd_t order;

        s->stopping = eventfd_read(s->retire_fd, &order) < 0 || order >= IPC_RETIRE_STOP;
        server_end(s, EXIT_STATUS_RETIRED);
}

/* ---- Requests ---- */

/* Why the worker ends after a request, EXIT_STATUS_RETIRED for no reason. */
static ExitStatus reason_to_end(const Server *s, const PhpOutcome *outcome)
{
        uint64_t max_memory = s->context->config->pm_max_memory;

        if (outcome->must_exit)
                return EXIT_STATUS_PHP_EXIT;
        if (s->max_requests > 0 && s->report.counted >= s->max_requests)
                return EXIT_STATUS_MAX_REQUESTS;
        if (max_memory > 0 && memory_resident() > max_memory)
                return EXIT_STATUS_MAX_MEMORY;
        return EXIT_STATUS_RETIRED;
}

/* The web server's address, as long as there is a socket to ask; nothing over a Unix socket. */
static void find_peer(Server *s)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        struct in6_addr address;

        if (!s->peer[0] &&
            getpeername(connection_fd(s->connection), (struct sockaddr *) &peer, &size) >= 0 &&
            network_address(&peer, &address))
                (void) network_format(s->peer, &address);
}

/* The request is over for the client, and its parameters are still there. */
static void log_request(Server *s, const Request *request, const PhpOutcome *outcome, Cpu cpu)
{
        AccessEntry entry = {
                .request = request,
                .peer = s->peer,
                .status = outcome->status,
                .memory = outcome->memory,
                .duration = s->report.request_duration,
                .cpu_user = cpu.user,
                .cpu_system = cpu.system,
        };

        if (!s->context->access)
                return;
        entry.started = usec_sub(now_realtime(), entry.duration);
        access_log_write(s->context->access, &entry);
}

static PhpOutcome run_request(Server *s, Request *request)
{
        AccessLog *access = s->context->access;
        PhpOutcome outcome;

        log_begin_request();
        report_request(&s->report, request->params);
        cpu_begin(&s->cpu, access_log_wants_cpu(access) || scoreboard_watched(s->context->board));
        if (access_log_wants_peer(access) && !request->unix_socket)
                find_peer(s);
        access_log_begin(access, request);

        s->request = request;
        outcome = php_serve(request);
        s->request = NULL;
        return outcome;
}

static void serve_request(Server *s, Request *request)
{
        PhpOutcome outcome;
        ExitStatus status;
        Cpu cpu;

        outcome = run_request(s, request);
        connection_settle(s->connection);
        cpu = cpu_end(&s->cpu);
        report_request_end(&s->report, outcome.memory, cpu.user + cpu.system);
        log_request(s, request, &outcome, cpu);
        s->untold = !log_tell_lost(/* now= */ true) || access_log_has_lost(s->context->access);
        connection_done(s->connection);

        status = reason_to_end(s, &outcome);
        if (status != EXIT_STATUS_RETIRED)
                server_end(s, status);
}

static bool others_idle(const Server *s)
{
        for (size_t i = 0; i < scoreboard_size(s->context->board); i++)
                if (i != s->report.slot && scoreboard_stage(s->context->board, i) == STAGE_IDLE)
                        return true;
        return false;
}

/*
 * connection_next(), with some patience for a client that has said nothing so far, or part of a request. It
 * is the same however many pieces come meanwhile.
 */
static int next_request(Server *s, usec_t patience, Request **ret)
{
        Connection *c = s->connection;
        usec_t least = 0, most = 0;

        for (;;) {
                usec_t now;
                int r;

                r = connection_next(c, ret);
                if (r == CONNECTION_PARTIAL)
                        patience = MAX(patience, PATIENCE_USEC);
                if ((r != CONNECTION_IDLE && r != CONNECTION_PARTIAL) || patience == 0)
                        return r;

                now = now_monotonic();
                if (most == 0) {
                        least = usec_add(now, patience);
                        most = others_idle(s) ? usec_add(now, MAX(patience, PATIENCE_IDLE_USEC)) : least;
                }
                if (now >= most || patience_wait(&s->context->inherit, connection_fd(c), least, most) < 0)
                        return r;
        }
}

/*
 * Serves what is there, or comes within that time; at least what is in our memory. The connection is closed
 * after that, or waits, or is with the manager where the client has sent part of a request.
 */
static void serve_connection(Server *s, usec_t patience)
{
        Connection *c = s->connection;

        do {
                Request *request = NULL;
                int r;

                r = next_request(s, patience, &request);
                patience = 0;
                if (r == CONNECTION_IDLE || r == CONNECTION_PARTIAL)
                        break;
                if (r == CONNECTION_REQUEST)
                        serve_request(s, request);
                else
                        connection_close(c);
        } while (connection_fd(c) >= 0 && connection_pending(c) && s->status != EXIT_STATUS_PHP_EXIT);

        if (connection_fd(c) >= 0 && connection_pending(c) && !s->ended)
                (void) park(s);
        if (connection_fd(c) >= 0 && !s->ended && sources_watch_own(&s->sources, connection_fd(c)) < 0)
                connection_close(c);
}

/* ---- New connections ---- */

/* One connection from where there was one; negative when there is none. */
static int take_connection(Server *s, int source, Origin *ret)
{
        int fd;

        fd = taker_take(&s->taker, source, ret);
        if (fd == -EPIPE)
                retire(s);
        return fd;
}

static void serve_new(Server *s, int fd, const Origin *origin)
{
        int r;

        report_connection(&s->report);
        s->peer[0] = 0;
        r = connection_open(s->connection, fd, origin);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to read what came of a request, closing the connection: %m");
        else
                serve_connection(s, PATIENCE_USEC);
}

/* Gives the manager a connection to park; the descriptors stay ours. */
static int hand_in(const Server *s, const Origin *origin, int fd)
{
        return handoff_send(s->context->inherit.handoff,
                            &(Handoff) { .kind = HANDOFF_PARK, .fd = fd, .origin = *origin });
}

/*
 * Takes a connection and passes it to the manager, for another worker. False where the manager cannot take
 * it: it was served here, as far as PHP still can.
 */
static bool pass_on(Server *s, int source)
{
        Origin origin;
        int fd, r;

        fd = take_connection(s, source, &origin);
        if (fd < 0)
                return true;
        r = hand_in(s, &origin, fd);
        if (r >= 0 || s->status == EXIT_STATUS_PHP_EXIT) {
                origin_close(&origin);
                fd_close(fd);
        } else
                serve_new(s, fd, &origin);
        return r >= 0;
}

/* ---- Parking ---- */

/*
 * Hands the connection to the manager, with what is in our memory of it. 0, also where it had to be closed;
 * or -EAGAIN while the manager can take no more.
 */
static int park(Server *s)
{
        Connection *c = s->connection;
        Origin origin;
        int r;

        r = connection_save(c, &origin);
        if (r >= 0) {
                r = hand_in(s, &origin, connection_fd(c));
                origin_close(&origin);
        }
        if (r == -ETOOMANYREFS || r == -ENOBUFS || r == -ENOMEM) {
                /* No event tells the end of that: unix(7). */
                (void) wait_for(-1, 0, usec_add(now_monotonic(), PARK_PAUSE));
                r = -EAGAIN;
        }
        if (r == -EAGAIN)
                return r;
        if (r < 0)
                (void) log_debug_errno(r, "Failed to park a connection, closing it: %m");
        connection_close(c);
        return 0;
}

/* How long poll(2) may wait for the rest of a request that has begun; -1 for ever. */
static int head_patience(const Server *s)
{
        usec_t deadline = connection_deadline(s->connection), left;

        if (deadline == USEC_INFINITY)
                return -1;
        left = usec_sub(deadline, now_monotonic()) / USEC_PER_MSEC + 1;
        return left < INT32_MAX ? (int) left : INT32_MAX;
}

/* Waits until the connection can be parked, has something to say, or the worker is to retire. */
static void wait_to_park(Server *s)
{
        struct pollfd fds[] = {
                { .fd = s->context->inherit.handoff, .events = POLLOUT },
                { .fd = connection_fd(s->connection), .events = POLLIN },
                { .fd = s->ended ? -1 : s->retire_fd, .events = POLLIN },
        };
        int n;

        n = poll(fds, ELEMENTSOF(fds), head_patience(s));
        if (n == 0 || (n > 0 && fds[1].revents))
                serve_connection(s, 0);
}

/* The manager is gone, with everything that it held. */
static bool manager_is_gone(const Server *s)
{
        struct pollfd p = { .fd = s->context->inherit.handoff };

        return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* What is left of PATIENCE_LAST_USEC: silent connections, of which there may be many, do not add up. */
static usec_t last_patience(Server *s)
{
        usec_t now = now_monotonic();

        if (s->last_end == 0)
                s->last_end = usec_add(now, PATIENCE_LAST_USEC);
        return MAX(usec_sub(s->last_end, now), PATIENCE_USEC);
}

/*
 * No connection ends because the worker does; but when PHP can serve no more, it does not wait for anything.
 * Where the pool stops, nobody else may come to serve what our own connection has asked; where the manager
 * is gone, nobody will, and what it is about to ask is answered as well.
 */
static void let_go(Server *s)
{
        bool can_serve = s->status != EXIT_STATUS_PHP_EXIT;
        Connection *c = s->connection;

        if (connection_fd(c) >= 0 && can_serve && manager_is_gone(s))
                serve_connection(s, last_patience(s));
        else if (connection_fd(c) >= 0 && can_serve && s->stopping)
                serve_connection(s, 0);

        while (connection_fd(c) >= 0 && park(s) == -EAGAIN) {
                if (can_serve)
                        wait_to_park(s);
                else
                        connection_close(c);
        }
}

/* ---- The loop ---- */

/*
 * One wake-up may tell of several things, and for each of them (EPOLLEXCLUSIVE) the kernel woke this worker
 * only. What it cannot do at once would wait for it, while others are idle and were not told.
 */
static bool others_could_work(const Server *s)
{
        const Work *w = &s->work;

        if (!(w->own && w->ready) && !(w->ready & (w->ready - 1)))
                return false; /* it is one thing */
        return others_idle(s);
}

/* Makes room for other work. True when there is. */
static bool clear_own(Server *s, bool share)
{
        bool waiting = s->work.ready;

        if (connection_fd(s->connection) < 0)
                return true;

        if (s->work.own && !share && (!waiting || s->own_turns < OWN_TURNS_MAX)) {
                s->own_turns = waiting ? s->own_turns + 1 : 0;
                serve_connection(s, 0);
                return false;
        }

        s->own_turns = 0;
        if (!waiting || park(s) >= 0)
                return true;
        wait_to_park(s);
        return false;
}

static void do_work(Server *s)
{
        bool share = others_could_work(s);
        Origin origin;
        int source, fd;

        if (!clear_own(s, share))
                return;

        source = sources_take(&s->sources, &s->work);
        for (; share && s->work.ready; source = sources_take(&s->sources, &s->work))
                if (!pass_on(s, source))
                        return;
        if (source < 0)
                return;

        fd = take_connection(s, source, &origin);
        if (fd >= 0)
                serve_new(s, fd, &origin);
}

/*
 * The worker ends, but the connections of its last wake-up were announced to nobody else: it takes one from
 * each source, which is all that a wake-up stands for. Where the pool stops, these are served here;
 * otherwise others do it. Later wake-ups go elsewhere: it does not wait any more.
 */
static void end_work(Server *s)
{
        bool last = s->stopping && s->status != EXIT_STATUS_PHP_EXIT;
        Origin origin;
        int source, fd;

        let_go(s);
        while ((source = sources_take(&s->sources, &s->work)) >= 0) {
                if (!last)
                        (void) pass_on(s, source);
                else {
                        fd = take_connection(s, source, &origin);
                        if (fd >= 0)
                                serve_new(s, fd, &origin);
                }
                let_go(s);
        }
        /* What the manager handed out before it gave the order is all that comes there. */
        while (last && (fd = take_connection(s, SOURCE_HANDOFF, &origin)) >= 0) {
                serve_new(s, fd, &origin);
                let_go(s);
        }
}

/* Nothing is to be done: a good time to say what the logs have lost. */
static void tell_lost(Server *s)
{
        bool told = log_tell_lost(/* now= */ true);

        s->untold = !access_log_tell_lost(s->context->access) || !told;
}

/* Each worker's own, so that workers which started together do not end together. */
static uint64_t draw_max_requests(const Config *c)
{
        uint32_t random;

        if (c->pm_max_requests == 0 || c->pm_max_requests_jitter == 0 ||
            getrandom(&random, sizeof random, GRND_NONBLOCK) != sizeof random)
                return c->pm_max_requests;
        return c->pm_max_requests + random % (c->pm_max_requests_jitter + 1);
}

static int serve_until_ended(Server *s)
{
        int r;

        s->max_requests = draw_max_requests(s->context->config);
        r = connection_new(s->context->config->request_header_timeout, &hooks, s, &s->connection);
        if (r < 0)
                return r;
        limit_set_connection(s->connection);
        r = sources_open(&s->sources, &s->context->inherit, s->retire_fd);
        if (r < 0)
                return r;

        while (!s->ended) {
                report_stage(&s->report, STAGE_IDLE);
                r = sources_wait(&s->sources, s->untold ? LOSSES_RETRY : USEC_INFINITY, &s->work);
                if (r < 0)
                        return r;
                if (r == 0)
                        tell_lost(s);
                else if (s->work.retire)
                        retire(s);
                else
                        do_work(s);
        }

        end_work(s);
        return 0;
}

ExitStatus serve(const WorkerContext *context, size_t slot, int retire_fd)
{
        Server s = {
                .context = context,
                .taker = taker_make(context, retire_fd),
                .report = { .board = context->board, .slot = slot, .wake_fd = context->inherit.wake },
                .sources = { .epoll_fd = -EBADF },
                .retire_fd = retire_fd,
        };
        int r;

        access_log_attach(context->access);
        r = serve_until_ended(&s);
        access_log_detach(context->access);
        (void) log_tell_lost(/* now= */ true);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to wait for connections: %m");
                s.status = EXIT_STATUS_RESOURCES;
        } else /* a worker that could not begin must not look like one that did */
                report_stage(&s.report, STAGE_ENDING);
        limit_set_connection(NULL);
        connection_free(s.connection);
        sources_close(&s.sources);
        return s.status;
}
