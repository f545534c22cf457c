/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The end of generations, after a reload and when the pool stops: their workers finish what they do, until
 * they are killed; and what is still waited for is said.
 */

#include <stdio.h>

#include "manager/life/life.h"

/* Who waits for a stop, or wonders about a reload, is told what for after this time. */
#define DRAIN_TELL_AFTER (2 * USEC_PER_SEC)

/* How long requests may go on when all of them hang, and systemd restarts the pool for that. */
#define DRAIN_STALLED (5 * USEC_PER_SEC)

/* The process of a generation that is waited for longest. Times are CLOCK_REALTIME. */
typedef struct DrainView {
        pid_t pid;
        bool is_template;    /* no worker is left, but the template */
        WorkerRecord record; /* of a worker */
        usec_t since;        /* its request began; 0 for none */
        usec_t until;        /* it is killed; 0 for never */
        size_t more;         /* other workers that are waited for */
        usec_t now;
} DrainView;

/* The most that drain_format() writes: of what a client sent only a part. */
#define DRAIN_TEXT_MAX 512

/*
 * "worker 17, which runs GET /slow.php (/srv/slow.php) since 12:00:03, and 2 more, until 12:00:33":
 * printable, and one line. Pure, but for the time zone.
 */
void drain_format(const DrainView *v, char text[DRAIN_TEXT_MAX]);

/*
 * The generation, which serves no more, becomes one of those that end: its processes are told to, and are
 * killed at the deadline (CLOCK_MONOTONIC, 0 for never), why saying for what reason.
 */
void drain_retire(Manager *m, Generation *g, KillReason why, usec_t deadline);

/* Frees generations that are gone, kills what outlives its time, and says once what is waited for. */
void drain_step(Manager *m, usec_t now, usec_t *earliest);

/* The pool is to end: ends the loop once no process is left. */
void drain_end(Manager *m);

/* What was said to be waited for, for STATUS=; "" for nothing. */
void drain_waits_for(const Manager *m, char text[DRAIN_TEXT_MAX]);
