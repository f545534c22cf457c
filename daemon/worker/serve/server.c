/* SPDX-License-Identifier: MIT */

/*
 * A worker's requests, to be pulled: see server.h. This is the step between two requests, again and again
 * until there is one: give the own connection its turn, wait, take the next connection, leave. The parts
 * decide how: own.c and park.c (the connection), intake.c (what to take), accounts.c (what is kept of a
 * request).
 *
 * Server owns them all. Nothing here calls PHP; PHP's caller calls this.
 */

#include "worker/serve/server.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/losses.h"
#include "ipc/messages.h"
#include "worker/serve/accounts.h"
#include "worker/serve/intake.h"
#include "worker/serve/overtime.h"
#include "worker/serve/patience.h"

typedef enum ServerState {
        SERVER_SERVING,
        SERVER_RETIRING, /* it takes nothing new, and leaves what it has to others */
        SERVER_STOPPING, /* nobody will be there to take over: what was begun is answered here */
        SERVER_BROKEN,   /* PHP can serve no more: everything is left to others */
        SERVER_ENDED,
        _SERVER_STATE_MAX,
} ServerState;

#define TO(state) (1U << SERVER_##state)

/* Which states may follow. */
static const unsigned followers[_SERVER_STATE_MAX] = {
        [SERVER_SERVING] = TO(RETIRING) | TO(STOPPING) | TO(BROKEN) | TO(ENDED),
        [SERVER_RETIRING] = TO(STOPPING) | TO(BROKEN) | TO(ENDED),
        [SERVER_STOPPING] = TO(BROKEN) | TO(ENDED),
        [SERVER_BROKEN] = TO(ENDED),
};

struct Server {
        const WorkerContext *context;
        ServerState state;
        ExitStatus status; /* why it is not SERVING */
        Slot slot;
        Own own;
        Intake intake;
        Accounts accounts;
        int retire_fd;       /* borrowed */
        bool last_turn_done; /* the own connection has had its turn since the server began to leave */
        usec_t last_end;     /* CLOCK_MONOTONIC: of last_patience(); 0 before its first call */
};

/* ---- Hooks of the connection ---- */

static void on_reading(void *userdata)
{
        slot_stage(&((Server *) userdata)->slot, STAGE_READING);
}

static void on_script_known(void *userdata, const char *script)
{
        Server *s = userdata;

        slot_script(&s->slot, script, s->accounts.request->user);
        slot_stage(&s->slot, STAGE_RUNNING);
        overtime_begin(s->context);
}

static void on_finishing(void *userdata)
{
        slot_stage(&((Server *) userdata)->slot, STAGE_FINISHING);
}

/* A client that does not take its answer is under the request's limit, as the script was. */
static void on_waiting(void *userdata, bool begins)
{
        Server *s = userdata;
        Stage stage = scoreboard_stage(s->context->board, s->slot.number);

        if (begins && stage == STAGE_FINISHING) {
                slot_sending(&s->slot);
                overtime_begin(s->context);
        } else if (!begins && stage == STAGE_SENDING)
                slot_stage(&s->slot, STAGE_FINISHING);
}

static void on_progress(void *userdata)
{
        slot_progress(&((Server *) userdata)->slot);
}

static void on_released(void *userdata)
{
        (void) own_park(&((Server *) userdata)->own);
}

static void on_closing(void *userdata, int fd, bool late _unused_)
{
        sources_forget_own(&((Server *) userdata)->intake.sources, fd);
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

/* ---- Its state ---- */

static void set_state(Server *s, ServerState state)
{
        if (state == s->state)
                return;
        assert(followers[s->state] & 1U << state);
        s->state = state;
}

/* The manager's order, or its end: without an order, it is the manager that is gone. */
static void retire(Server *s)
{
        bool stop;
        eventfd_t order;

        stop = eventfd_read(s->retire_fd, &order) < 0 || order >= IPC_RETIRE_STOP;
        if (s->state == SERVER_BROKEN)
                return;
        set_state(s, stop || s->state == SERVER_STOPPING ? SERVER_STOPPING : SERVER_RETIRING);
        s->status = EXIT_STATUS_RETIRED;
}

/* A request was the last, for this reason. */
static void end_after_request(Server *s, ExitStatus why)
{
        if (why == EXIT_STATUS_PHP_EXIT) {
                set_state(s, SERVER_BROKEN);
                own_end_turn(&s->own);
        } else if (s->state == SERVER_SERVING)
                set_state(s, SERVER_RETIRING);
        s->status = why;
}

/* ---- While it serves ---- */

static void step_serving(Server *s)
{
        int r;

        slot_stage(&s->slot, STAGE_IDLE);
        r = intake_wait(&s->intake, s->accounts.untold ? LOSSES_RETRY : USEC_INFINITY);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to wait for connections: %m");
                s->status = EXIT_STATUS_RESOURCES;
                set_state(s, SERVER_ENDED);
        } else if (r == 0)
                accounts_tell_lost(&s->accounts);
        else if (intake_told_to_end(&s->intake) || intake_take(&s->intake) == -EPIPE)
                retire(s);
}

/* ---- While it leaves ---- */

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
 * Where the pool stops, nobody else may come to serve what our own connection has asked; where the manager
 * is gone, nobody will, and what it is about to ask is answered as well.
 */
static void give_last_turn(Server *s)
{
        s->last_turn_done = true;
        if (s->state == SERVER_BROKEN)
                return;
        if (manager_is_gone(s))
                own_give_turn(&s->own, last_patience(s));
        else if (s->state == SERVER_STOPPING)
                own_give_turn(&s->own, 0);
}

/*
 * No connection ends because the worker does; but when PHP can serve no more, it does not wait for anything.
 */
static void let_go(Server *s)
{
        if (!s->last_turn_done)
                give_last_turn(s);
        else if (own_park(&s->own) != -EAGAIN)
                return;
        else if (s->state == SERVER_BROKEN)
                own_close(&s->own);
        else
                own_wait_to_park(&s->own, /* retire_fd= */ -EBADF);
}

/* First the own connection, then what the last wake-up announced, one by one. */
static void step_leaving(Server *s)
{
        int r;

        if (own_is_there(&s->own)) {
                let_go(s);
                return;
        }

        s->last_turn_done = false;
        if (s->state == SERVER_STOPPING)
                r = intake_serve_last(&s->intake);
        else
                r = intake_pass_last(&s->intake, /* can_serve= */ s->state != SERVER_BROKEN);
        if (r < 0)
                retire(s);
        else if (r == 0)
                set_state(s, SERVER_ENDED);
}

/* ---- The server ---- */

Request *server_next(Server *s)
{
        while (s->state != SERVER_ENDED) {
                Request *request;

                request = own_next(&s->own, /* stays= */ s->state == SERVER_SERVING);
                if (request) {
                        accounts_begin(&s->accounts, request);
                        return request;
                }
                if (s->state == SERVER_SERVING)
                        step_serving(s);
                else
                        step_leaving(s);
        }
        return NULL;
}

void server_done(Server *s, const PhpOutcome *outcome)
{
        ExitStatus why;

        connection_settle(s->own.connection);
        why = accounts_end(&s->accounts, outcome);
        connection_done(s->own.connection);
        if (why != EXIT_STATUS_RETIRED)
                end_after_request(s, why);
}

ExitStatus server_exit_status(const Server *s)
{
        return s->status;
}

int server_open(const WorkerContext *context, size_t slot, int retire_fd, Server **ret)
{
        _cleanup_(server_closep) Server *s = NULL;
        int r;

        s = malloc(sizeof *s);
        if (!s)
                return -ENOMEM;
        *s = (Server) {
                .context = context,
                .slot = { .board = context->board, .number = slot, .wake_fd = context->inherit.wake },
                .own = { .context = context, .slot = &s->slot, .sources = &s->intake.sources },
                .intake = { .sources.epoll_fd = -EBADF },
                .accounts = accounts_make(context, &s->slot, &s->own),
                .retire_fd = retire_fd,
        };

        access_log_attach(context->access);
        r = own_init(&s->own, &hooks, s);
        if (r < 0)
                return r;
        r = intake_open(&s->intake, context, retire_fd, &s->slot, &s->own);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

void server_close(Server *s)
{
        if (!s)
                return;
        access_log_detach(s->context->access);
        (void) log_tell_lost(/* now= */ true);
        /* A worker that could not begin must not look like one that did. */
        if (s->state == SERVER_ENDED && s->status != EXIT_STATUS_RESOURCES)
                slot_stage(&s->slot, STAGE_ENDING);
        own_free(&s->own);
        intake_close(&s->intake);
        free(s);
}
