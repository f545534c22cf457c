/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Counts the records that a log has lost, and says when to log the count: not each time, and again if that
 * failed.
 */

#include "base/time.h"

/* While records are lost, the count is logged this often at most; once that has ended, at once. */
#define LOSSES_INTERVAL (10 * USEC_PER_SEC)

/* A count that could not be logged is tried again after so long. */
#define LOSSES_RETRY USEC_PER_SEC

/* Zero it before the first use. */
typedef struct Losses {
        uint64_t n;  /* since they were told last */
        int error;   /* why, of the last one: a positive errno value */
        usec_t told; /* CLOCK_MONOTONIC, 0 for never */
} Losses;

/* One more; error is -errno. */
static inline void losses_add(Losses *l, int error)
{
        assert(error < 0);

        l->n++;
        l->error = -error;
}

/* Whether there are some to tell of, and none were told of for an interval. */
static inline bool losses_due(const Losses *l)
{
        return l->n > 0 && (l->told == 0 || now_monotonic() >= usec_add(l->told, LOSSES_INTERVAL));
}

static inline void losses_told(Losses *l)
{
        l->n = 0;
        l->told = now_monotonic();
}
