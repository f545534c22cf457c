/* SPDX-License-Identifier: MIT */
#pragma once

/* Workers that the book has and that are no processes, over a real scoreboard. */

#include <sys/eventfd.h>

#include "manager/pool/workers.h"

/* The process id of the worker in slot 0, the others' follow. Above the largest pid_max: no process's. */
#define WORKER_PID 5000000

/* Orders one; its slot. */
uint32_t order_worker(Workers *workers);

/* The same for one that was forked and has come to this stage. */
uint32_t add_worker(Workers *workers, Stage stage);

/* What a worker was told over its retire eventfd, added up; 0 for nothing. */
eventfd_t order_of(const Workers *workers, size_t slot);

/* All have ended: they may be freed. */
void forget_workers(Workers *workers);
