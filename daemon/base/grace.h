/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How long urgent records of a process may wait for a journal that is full just now. Pure: the caller has
 * the clock, and looks at it only where a record was refused.
 */

#include "base/time.h"

/* A request's records may wait so long, all together. */
#define GRACE_MAX (100 * USEC_PER_MSEC)

/*
 * After a wait in vain none waits for so long, of whichever request: a journal that is stopped costs a
 * process a hundredth of its time. Outside of requests, so long after the last wait there is GRACE_MAX
 * again.
 */
#define GRACE_PAUSE (10 * USEC_PER_SEC)

/* Zero it before the first use. */
typedef struct Grace {
        usec_t used;   /* of GRACE_MAX */
        usec_t waited; /* CLOCK_MONOTONIC: when the last wait ended; 0 for never */
        bool vain;     /* and the journal took nothing, nor has since */
} Grace;

/* A request begins: it has a grace of its own, unless the one before has waited in vain. */
static inline void grace_renew(Grace *g)
{
        if (!g->vain)
                g->used = 0;
}

/* The journal has taken a record. */
static inline void grace_taken(Grace *g)
{
        g->vain = false;
}

/* How long a record may wait now; 0 for not at all. */
static inline usec_t grace_left(Grace *g, usec_t now)
{
        if (g->waited > 0 && now >= usec_add(g->waited, GRACE_PAUSE))
                *g = (Grace){};
        return g->vain ? 0 : usec_sub(GRACE_MAX, g->used);
}

/* A record has waited, in vain or not. */
static inline void grace_use(Grace *g, usec_t began, usec_t now, bool vain)
{
        assert(began <= now);

        g->used = vain ? GRACE_MAX : usec_add(g->used, usec_sub(now, began));
        g->waited = now;
        g->vain = vain;
}
