/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a worker does all its life: wait for connections, serve their requests, keep at most one of them. See
 * serve.c.
 */

#include "ipc/exit-status.h"
#include "worker/context.h"

/*
 * Serves until something ends the worker: an order on the retire eventfd; the end of
 * the manager; pm.max_requests; PHP. What was accepted is answered or parked before. Returns the exit
 * status.
 */
ExitStatus serve(const WorkerContext *context, size_t slot, int retire_fd);
