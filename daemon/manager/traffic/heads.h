/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The heads of parked connections (ipc/handoff.h): what a client has sent so far of a request that is not
 * complete. Three rules are here, and what is needed to keep them: a head has a deadline, at which its
 * connection is closed unless more has come by then; all heads together have a bound; and a head that has
 * moved often between workers rests, which means that its connection is not watched before the next turn.
 *
 * There is one timer for all heads. A turn is what happens when it elapses: each head is looked at.
 */

#include <systemd/sd-event.h>

#include "base/util.h"
#include "ipc/handoff.h"

/*
 * The most that is kept of requests that have come in part, all together, in whole pages: beyond that, their
 * connections are closed. It is the memory of as many heads as connections, where each fits a page.
 */
#define HEADS_SIZE_MAX ((size_t) 64 * 1024 * 1024)

/*
 * A head that has moved so often is looked at again no sooner than this, however fast its client sends a few
 * bytes more: each time costs a worker as much as all of the head so far.
 */
#define HEAD_MOVES_MAX 16
#define HEADS_INTERVAL (100 * USEC_PER_MSEC)

/* ---- Decisions ---- */

/* Whether a connection with this origin rests first. */
bool head_rests(const Origin *origin);

/* When a head that has just come is to be looked at. */
usec_t head_first_turn(const Origin *origin, usec_t now);

/* What is to be done about a head at its turn. */
typedef enum HeadVerdict {
        HEAD_LEAVE, /* its connection is watched, and has time */
        HEAD_WATCH, /* it has rested */
        HEAD_OVER,  /* its time is over: its connection is closed, unless more has come */
} HeadVerdict;
HeadVerdict head_decide(const Origin *origin, bool resting, usec_t now);

/* When a head wants to be looked at again; `resting`: it could not be watched. */
usec_t head_next_turn(const Origin *origin, bool resting, usec_t now);

/* What a head of this many bytes takes, in whole pages. */
size_t head_pages_size(size_t size);

/* ---- All heads of a pool ---- */

typedef struct Heads Heads;

/* Looks at each head. When the next one wants to be looked at; USEC_INFINITY for never. */
typedef usec_t HeadsOnTurn(usec_t now, void *userdata);

/* No heads so far, and no timer that runs. 0 or -errno. */
int heads_new(sd_event *event, HeadsOnTurn *on_turn, void *userdata, Heads **ret);
void heads_free(Heads *heads);
DEFINE_CLEANUP(Heads *, heads_free)

/* Whether there is room for this head, and what it takes then. 0, -EFBIG, -ENOBUFS or another -errno. */
int heads_measure(const Heads *heads, int head, uint32_t *ret_size);

/* Counts the head of a connection that is parked now, and sees to its first turn. */
void heads_add(Heads *heads, const Origin *origin, uint32_t size, usec_t now);

/* The connection is parked no more. The descriptor stays the caller's. */
void heads_remove(Heads *heads, uint32_t size);

/* How many there are: each is a descriptor. */
size_t heads_count(const Heads *heads);
