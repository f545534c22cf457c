/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is kept of each request: on the scoreboard, in the access log, and towards the worker's own limits.
 */

#include "ipc/exit-status.h"
#include "worker/php/php.h"
#include "worker/serve/cpu.h"
#include "worker/serve/own.h"

typedef struct Accounts {
        const WorkerContext *context;
        Slot *slot;
        Own *own; /* that requests come from */
        CpuMeter cpu;
        Request *request;      /* that PHP has, or NULL */
        bool untold;           /* there were losses of a log that could not be told */
        uint64_t max_requests; /* this worker's own, with its jitter; 0 for no limit */
} Accounts;

Accounts accounts_make(const WorkerContext *context, Slot *slot, Own *own);

/* A request begins; there must be none. */
void accounts_begin(Accounts *accounts, Request *request);

/*
 * It is over for the client; its parameters are still there. Returns why the worker is to end after it,
 * EXIT_STATUS_RETIRED for no reason.
 */
ExitStatus accounts_end(Accounts *accounts, const PhpOutcome *outcome);

/* Nothing is to be done: a good time to say what the logs have lost. */
void accounts_tell_lost(Accounts *accounts);
