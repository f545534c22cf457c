/* SPDX-License-Identifier: MIT */
#pragma once

/* What a worker does all its life: it pulls requests and runs a script for each. */

#include "ipc/exit-status.h"
#include "worker/context.h"

/*
 * Serves until something ends the worker: see server_next(). Returns the exit status.
 */
ExitStatus serve(const WorkerContext *context, size_t slot, int retire_fd);
