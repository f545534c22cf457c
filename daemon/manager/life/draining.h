/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The end of generations, after a reload and when the pool stops: their workers finish what they do, until
 * they are killed; and what is still waited for is said. What is due when is decided by decide/drain.h.
 */

#include "manager/life/drain-text.h"
#include "manager/pool/pool.h"

/*
 * The generation, which serves no more, becomes one of those that end: its processes are told to, and are
 * killed at the deadline (CLOCK_MONOTONIC, 0 for never), why saying for what reason.
 */
void draining_retire(Pool *p, Generation *g, KillReason why, usec_t deadline);

/* Frees generations that are gone, kills what outlives its time, and says once what is waited for. */
void draining_step(Pool *p, usec_t now, usec_t *earliest);

/*
 * The pool ends, as was wished: no new work, all generations retire, reloads that are waited for fail. The pool
 * must not drain yet.
 */
void draining_begin(Pool *p);

/* The pool drains: it is stopping once no process is left, and then only the loop has to end. */
void draining_end(Pool *p);

/* What was said to be waited for, for STATUS=; "" for nothing. */
void draining_waits_for(const Pool *p, char text[DRAIN_TEXT_MAX]);
