/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The pool's sums since the manager has started: what workers that are gone have counted, how they ended,
 * and what nobody knows but the manager. Together with the workers that live, they are the pool's figures.
 * Pure.
 */

#include "manager/pool/generation.h"

/* Why workers ended. RECYCLED(name, status): the field of status/status.def that shows it. */
#define RECYCLED_LIST                                                                                       \
        RECYCLED(RETIRED, recycled_retired) /* as ordered */                                                \
        RECYCLED(MAX_REQUESTS, recycled_max_requests)                                                       \
        RECYCLED(MAX_MEMORY, recycled_max_memory)                                                           \
        RECYCLED(TERMINATED, recycled_terminated) /* with its request, which took too long */               \
        RECYCLED(CRASHED, recycled_crashed)       /* any other death */

typedef enum Recycled {
#define RECYCLED(name, status) RECYCLED_##name,
        RECYCLED_LIST
#undef RECYCLED
                        _RECYCLED_MAX,
} Recycled;

/* What workers count (scoreboard/counters.def), of several together. */
typedef struct Counters {
#define COUNTER(field, counted, sum, status) uint64_t field;
#include "scoreboard/counters.def"
} Counters;

void counters_add(Counters *counters, const WorkerRecord *record);

typedef struct Totals {
        Counters past;                    /* of workers that are gone */
        uint64_t recycled[_RECYCLED_MAX]; /* workers that are gone, by why */
        usec_t last_ended;                /* CLOCK_MONOTONIC: when one that served last died; 0 for never */
        uint64_t slow_requests;           /* that took longer than request.slowlog_timeout */
        uint64_t max_active;              /* the most workers that were seen with a request */
} Totals;

/* The worker, which is not buried yet, ended now (CLOCK_MONOTONIC), with these last words. */
void totals_worker_ended(Totals *totals, const Worker *worker, const WorkerRecord *record, Recycled why,
                         usec_t now);

/* So many workers were seen with a request. */
void totals_note_active(Totals *totals, uint64_t n);

/* The pool's workers of all generations, at a moment: the counters of those that are gone are added. */
typedef struct Figures {
        Counters counters;
        uint64_t idle, active, alive;
} Figures;

/* Those of no generation: begin with them, and add each one. */
Figures figures_begin(const Totals *totals);
void figures_add(Figures *figures, const Generation *g);
