/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * status.path, ping.path and the source of fpm_get_status(): what a worker tells of its pool. The status is
 * the manager's to make (ipc/handoff.h); a ping is answered here.
 */

#include "config/config.h"
#include "status/dump.h"
#include "worker/request/request.h"

/* How long a manager may take; a stuck one holds no worker for longer. */
#define STATUS_TIMEOUT (5 * USEC_PER_SEC)

/*
 * Asks the manager for the status; the caller frees *ret, which ends with a zero. 0, -ETIMEDOUT, or another
 * -errno: also where there is no manager to ask.
 */
int built_in_ask_status(int handoff, DumpFormat format, bool full, char **ret, size_t *ret_size);

/*
 * Answers the request if its name (SCRIPT_NAME) is one of the two. The HTTP status of the answer; 0 for any
 * other request, which was not touched then.
 */
int built_in_serve(Request *request, const char *name, const Config *config, int handoff);
