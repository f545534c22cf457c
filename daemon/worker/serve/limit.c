/* SPDX-License-Identifier: MIT */

/*
 * Limits on a request: see limit.h. A signal alone ends nothing: it may come when the request that it was
 * meant for is over. What counts is what the manager wrote on the scoreboard.
 *
 * First PHP is asked to end the script, which it does where it next looks, between two of the script's
 * steps. A script that sits in a library (a database that does not answer) comes to none, and is ended with
 * its worker.
 */

#include "worker/serve/limit.h"

#include <signal.h>
#include <unistd.h>

#include "ipc/exit-status.h"
#include "ipc/messages.h"

/* For the signal handlers, which can be told nothing. */
static struct {
        void (*interrupt)(void);
        const Scoreboard *board;
        size_t slot;
        Connection *connection;
} limit;

static void on_interrupt_signal(int signal _unused_)
{
        if (scoreboard_condemned(limit.board, limit.slot))
                limit.interrupt();
}

int limit_catch(const WorkerContext *context, size_t slot, void (*interrupt)(void))
{
        /* No SA_RESTART: what the script waits for is cut short. */
        struct sigaction action = { .sa_handler = on_interrupt_signal };

        limit.interrupt = interrupt;
        limit.board = context->board;
        limit.slot = slot;
        return sigaction(IPC_INTERRUPT_SIGNAL, &action, NULL) < 0 ? -errno : 0;
}

void limit_set_connection(Connection *connection)
{
        limit.connection = connection;
}

/* The time after which a request reaches its first limit; 0 for no limit. */
static usec_t first_limit(const Config *c)
{
        if (c->request_terminate_timeout == 0 || c->request_slowlog_timeout == 0)
                return MAX(c->request_terminate_timeout, c->request_slowlog_timeout);
        return MIN(c->request_terminate_timeout, c->request_slowlog_timeout);
}

void limit_begin(const WorkerContext *context)
{
        usec_t after = first_limit(context->config);

        if (after > 0 && scoreboard_claim_timer(context->board) &&
            timer_start(context->inherit.limit, after) < 0)
                scoreboard_offer_timer(context->board);
}

void limit_end(void)
{
        if (!limit.board || !scoreboard_condemned(limit.board, limit.slot))
                return;
        if (limit.connection)
                connection_give_up(limit.connection);
        _exit(EXIT_STATUS_TERMINATED);
}
