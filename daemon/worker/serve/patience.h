/* SPDX-License-Identifier: MIT */
#pragma once

/* How long a worker waits for a client that has connected and not sent its request yet. */

#include "base/time.h"
#include "ipc/inherit.h"

/*
 * A request comes right behind its connection, but a worker may be faster. It waits so long for it before it
 * turns to others, which would have to take the connection over; no longer, as they wait meanwhile.
 */
#define PATIENCE_USEC ((usec_t) 500)

/* The same while other workers are idle and nobody waits: what is with the manager would go with it. */
#define PATIENCE_IDLE_USEC (10 * USEC_PER_MSEC)

/*
 * Where the manager is gone and nobody could take a connection over, which would have to be closed: for the
 * first of them, and all behind it.
 */
#define PATIENCE_LAST_USEC (100 * USEC_PER_MSEC)

/*
 * Waits for the connection to have something to read: until `least`, and from there until `most` for as long
 * as no other connection waits in a listening socket or in the hand-off queue (CLOCK_MONOTONIC). 0,
 * -ETIMEDOUT when its time is up, or -errno.
 */
int patience_wait(const Inherit *inherit, int connection, usec_t least, usec_t most);
