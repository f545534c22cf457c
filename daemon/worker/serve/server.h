/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A worker's requests, for whoever runs PHP to pull: server_next() gives one, from whatever way it came (a
 * new connection, one that the manager hands out, the next of a kept one), and server_done() ends it. In
 * between everything else happens that a worker has to do: waiting, taking and parking connections, leaving.
 *
 *   while ((request = server_next(server))) {
 *           outcome = php_serve(request);
 *           server_done(server, &outcome);
 *   }
 *
 * Nothing of a server lies on the stack between the two calls, so a caller may be deep inside of PHP, which
 * may leave by longjmp(3) before it says server_done(). The server itself is not the caller's to free.
 */

#include "ipc/exit-status.h"
#include "worker/context.h"
#include "worker/php/php.h"

typedef struct Server Server;

/*
 * A server for the worker of this slot. Context and descriptor stay the caller's and must outlive it;
 * server_close() frees it. 0 or -errno.
 */
int server_open(const WorkerContext *context, size_t slot, int retire_fd, Server **ret);

/*
 * Waits for the next request, as long as it takes. It is the server's and is there until server_done(),
 * before which there is no other. NULL when the worker is to end: by an order on the retire eventfd, the end
 * of the manager, pm.max_requests, PHP. What was accepted was answered or parked before.
 */
Request *server_next(Server *server);

/* The request that server_next() gave was run: ends it for the client, the scoreboard and the logs. */
void server_done(Server *server, const PhpOutcome *outcome);

/* Why server_next() gave NULL. */
ExitStatus server_exit_status(const Server *server);

/* Tells what the logs have lost, and closes the connection that is left. NULL is none. */
void server_close(Server *server);
DEFINE_CLEANUP(Server *, server_close)
