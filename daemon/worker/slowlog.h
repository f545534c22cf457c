/* SPDX-License-Identifier: MIT */
#pragma once

/* The slow log's records. See slowlog.c. */

#include "worker/context.h"

/*
 * Called in the template. Logs the request that the worker of a slot runs, with its backtrace; nothing where
 * slot or pid are not, or no longer, those of a worker that runs one.
 */
void slowlog_trace(const WorkerContext *context, uint32_t slot, pid_t pid);
