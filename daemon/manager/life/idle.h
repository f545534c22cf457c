/* SPDX-License-Identifier: MIT */
#pragma once

/* idle_exit: a pool that had nothing to do for so long ends, unless something still needs it. */

#include "manager/decide/policy.h"
#include "manager/pool/pool.h"

/* A pool that stays for a program which a request left says so after this time, or after idle_exit. */
#define IDLE_TELL_AFTER (60 * USEC_PER_SEC)

/* The most that idle_waits_for() writes. */
#define IDLE_TEXT_MAX 128

/* Looks whether idle_exit is due, or when it may be. */
bool idle_is_due(Pool *p, const PoolView *v, usec_t now, usec_t *earliest);

/*
 * Whether nothing needs the pool any more: no worker is alive, no client is connected, and no program lives
 * that a request left running and that the end of the service would kill. To be asked when idle_exit is due.
 * The log says when the pool stays for such a program.
 */
bool idle_may_leave(Pool *p, const PoolView *v, usec_t now, usec_t *earliest);

/* What the pool stays for though idle_exit is due, for STATUS=; "" for nothing. */
void idle_waits_for(const Pool *p, char text[IDLE_TEXT_MAX]);
