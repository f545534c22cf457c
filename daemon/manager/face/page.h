/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The status page (status/dump.h). Only the manager can make it, which knows of all workers and
 * generations; a worker that is asked for it asks the manager (ipc/handoff.h).
 */

#include "manager/manager.h"
#include "status/dump.h"

/*
 * Makes a page; the caller frees it. Notes that somebody looks at the status: page_watch(). 0 or -errno.
 */
int page_render(Manager *m, DumpFormat format, bool full, char **ret, size_t *ret_size);

/* Answers a worker: passes it the page as a memfd over the socket that came with its question. */
void page_answer(Manager *m, const HandoffQuestion *question, int socket);

/*
 * Somebody asked for the status: for a while, workers of all generations are told to measure what only it
 * shows (scoreboard_watched()).
 */
void page_watch(Manager *m);
