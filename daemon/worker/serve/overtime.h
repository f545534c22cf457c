/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The worker's side of the time limits of requests: it starts the timer that has the manager look
 * (manager/pool/enforce.h), and it ends a request that the manager condemns.
 */

#include "worker/context.h"
#include "worker/transport/transport.h"

/*
 * Catches IPC_INTERRUPT_SIGNAL, for this worker's requests: where the one at hand is condemned, it calls
 * interrupt(), which is async-signal-safe and has PHP end the script. The context stays the caller's for as
 * long as the process lives. 0 or -errno.
 */
int overtime_catch(const WorkerContext *context, size_t slot, void (*interrupt)(void));

/* Names the connection, NULL for none, on which overtime_end() may answer. */
void overtime_set_connection(Connection *connection);

/* A script begins, or has ended and is kept waiting; its stage is on the scoreboard already. */
void overtime_begin(const WorkerContext *context);

/*
 * Where the request at hand is condemned, answers it as far as that can be done from outside of PHP, and
 * ends the process. For the handler of SIGTERM: async-signal-safe.
 */
void overtime_end(void);
