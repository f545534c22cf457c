/* SPDX-License-Identifier: MIT */

/*
 * Limits on a request: see overtime.h. A signal alone ends nothing: it may come when the request that it was
 * meant for is over. What counts is what the manager wrote on the scoreboard.
 *
 * First PHP is asked to end the script, which it does where it next looks, between two of the script's
 * steps. A script that sits in a library (a database that does not answer) comes to none, and is ended with
 * its worker.
 */

#include "worker/serve/overtime.h"

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
} overtime;

static void on_interrupt_signal(int signal _unused_)
{
        if (scoreboard_condemned(overtime.board, overtime.slot))
                overtime.interrupt();
}

int overtime_catch(const WorkerContext *context, size_t slot, void (*interrupt)(void))
{
        /* No SA_RESTART: what the script waits for is cut short. */
        struct sigaction action = { .sa_handler = on_interrupt_signal };

        overtime.interrupt = interrupt;
        overtime.board = context->board;
        overtime.slot = slot;
        return sigaction(IPC_INTERRUPT_SIGNAL, &action, NULL) < 0 ? -errno : 0;
}

void overtime_set_connection(Connection *connection)
{
        overtime.connection = connection;
}

/* The time after which a request reaches its first limit; 0 for no limit. */
static usec_t first_limit(const Config *c)
{
        if (c->request_terminate_timeout == 0 || c->request_slowlog_timeout == 0)
                return MAX(c->request_terminate_timeout, c->request_slowlog_timeout);
        return MIN(c->request_terminate_timeout, c->request_slowlog_timeout);
}

void overtime_begin(const WorkerContext *context)
{
        usec_t after = first_limit(context->config);

        if (after > 0 && scoreboard_claim_timer(context->board) &&
            timer_start(context->inherit.limit, after) < 0)
                scoreboard_offer_timer(context->board);
}

void overtime_end(void)
{
        if (!overtime.board || !scoreboard_condemned(overtime.board, overtime.slot))
                return;
        if (overtime.connection)
                connection_give_up(overtime.connection);
        _exit(EXIT_STATUS_TERMINATED);
}
