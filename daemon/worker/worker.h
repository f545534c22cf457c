/* SPDX-License-Identifier: MIT */
#pragma once

/* A worker's start and end. */

#include "worker/context.h"

/*
 * Makes the worker of a slot out of a process that was forked from the template, and serves. Returns its
 * exit status.
 */
int worker_run(const WorkerContext *context, size_t slot, int retire_fd);
