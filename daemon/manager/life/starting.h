/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How generations start, and take over: the first one, one for each reload, one where the template has to be
 * replaced. What is due when is decided by decide/start.h.
 */

#include "manager/pool/pool.h"

/*
 * Starts the next generation, for this reason, with these settings, whose php_version is known and which
 * become the generation's, also on failure: forks and executes its template. There must be none yet. 0 or
 * -errno.
 */
int starting_begin(Pool *p, ReloadReason reason, Config *config);

/*
 * Serves the tickets for a reload that are there: reads the pool file and starts a generation with it. The
 * pool must be running.
 */
void starting_reload(Pool *p);

/* The generation that starts: orders its first worker, has it take over, or fails it. */
void starting_step(Pool *p, usec_t now, usec_t *earliest);

/* A generation has taken over: the reload has ended once the one before takes no connection any more. */
void starting_step_handover(Pool *p, usec_t now, usec_t *earliest);

/* What the start of a generation waits for, for STATUS=, once that has been said; "" for nothing. */
#define START_TEXT_MAX 192
void starting_waits_for(const Pool *p, char text[START_TEXT_MAX]);
