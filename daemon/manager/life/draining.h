/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The end of generations, after a reload and when the pool stops: their workers finish what they do, until
 * they are killed; and the log says what is still waited for. decide/drain.h decides what is due when.
 */

#include "manager/life/drain-text.h"
#include "manager/pool/pool.h"

/*
 * The generation, which serves no more, becomes one of those that end: its processes are told to, and are
 * killed at the deadline (CLOCK_MONOTONIC, 0 for never), why saying for what reason.
 */
void draining_retire(Pool *p, Generation *g, KillReason why, usec_t deadline);

/* Frees generations that are gone, kills those whose time is over, and says once what each one waits for. */
void draining_step(Pool *p, usec_t now, usec_t *earliest);

/*
 * Carries out the wish to end: no new work, all generations retire, and tickets for a reload fail. The pool
 * must not be draining yet.
 */
void draining_begin(Pool *p);

/* The pool drains. Once no process is left, its state is POOL_STOPPING, and only the loop has to end. */
void draining_end(Pool *p);

/* What was said to be waited for, for STATUS=; "" for nothing. */
void draining_waits_for(const Pool *p, char text[DRAIN_TEXT_MAX]);
