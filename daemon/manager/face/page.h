/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The status page (status/dump.h). Only the manager can make it, which knows of all workers and
 * generations; a worker that is asked for it asks the manager (ipc/handoff.h).
 */

#include "manager/pool/pool.h"
#include "status/dump.h"

/*
 * Makes a page; the caller frees it. Notes that somebody looks at the status: pool_note_watched(). 0 or
 * -errno.
 */
int page_render(Pool *p, DumpFormat format, bool full, char **ret, size_t *ret_size);

/* Answers a worker: passes it the page as a memfd over the socket that came with its question. */
void page_answer(Pool *p, const HandoffQuestion *question, int socket);
