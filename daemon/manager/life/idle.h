/* SPDX-License-Identifier: MIT */
#pragma once

/* idle_exit: a pool that had nothing to do for so long ends, unless somebody still needs it. */

#include "base/time.h"
#include "manager/life/left.h"

typedef struct Manager Manager;
typedef struct PoolView PoolView;

/* A pool that stays for a program which a request left says so after this time, or after idle_exit. */
#define IDLE_TELL_AFTER (60 * USEC_PER_SEC)

/* The most that idle_waits_for() writes. */
#define IDLE_TEXT_MAX 128

typedef struct Idle {
        usec_t last_active; /* CLOCK_MONOTONIC: when the pool last had work, as far as is known */
        bool leaving;       /* idle_exit is due */
        Left left;          /* programs for which it stays all the same */
        usec_t left_since;  /* CLOCK_MONOTONIC: since when */
        pid_t left_told;    /* the one that was told of */
        bool blind;         /* the system does not tell of them, and that was said */
} Idle;

/* Looks whether idle_exit is due, or when it may be. */
bool idle_is_due(Manager *m, const PoolView *v, usec_t now, usec_t *earliest);

/*
 * Whether nobody needs the pool any more: no worker is alive, nobody is connected, and no program that a
 * request left running lives, which the end of the service would kill. To be asked when idle_exit is due.
 * Says in the log when it stays for such a program.
 */
bool idle_may_leave(Manager *m, const PoolView *v, usec_t now, usec_t *earliest);

/* What the pool stays for though idle_exit is due, for STATUS=; "" for nothing. */
void idle_waits_for(const Manager *m, char text[IDLE_TEXT_MAX]);
