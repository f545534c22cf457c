/* SPDX-License-Identifier: MIT */
#pragma once

/* The worker's own slot of the scoreboard: what it says there about itself. */

#include "base/params.h"
#include "scoreboard/scoreboard.h"

typedef struct Slot {
        Scoreboard *board;
        size_t number;    /* of the slot */
        int wake_fd;      /* eventfd of the manager */
        uint64_t counted; /* requests finished */
        usec_t request_duration; /* of the last one that finished */
} Slot;

/* Changes the stage, and wakes the manager if that is what it waits for. */
void slot_stage(const Slot *slot, Stage stage);

/*
 * Counts one more: slot_count_FIELD(slot), for each counter of scoreboard/counters.def that counts an EVENT.
 */
#define SLOT_COUNT_EVENT(field)                                                                             \
        static inline void slot_count_##field(const Slot *slot)                                             \
        {                                                                                                   \
                scoreboard_begin(slot->board, slot->number)->field++;                                       \
                scoreboard_end(slot->board, slot->number);                                                  \
        }
#define SLOT_COUNT_REQUEST(field)
#define COUNTER(field, counted, sum, status) SLOT_COUNT_##counted(field)
#include "scoreboard/counters.def"

/* A request begins; what will run is not known yet. */
void slot_request(const Slot *slot, const Params *params);

/* What will run, and for which user by HTTP's authentication, "" for none. */
void slot_script(const Slot *slot, const char *script, const char *user);

/* The script has ended, and the client keeps its answer waiting. */
void slot_sending(const Slot *slot);

/* The client took some of the answer, or brought some of the body. */
void slot_progress(const Slot *slot);

/* It ended; memory is its peak in bytes, cpu its processor time, 0 where that was not measured. */
void slot_request_end(Slot *slot, uint64_t memory, usec_t cpu);

/* Whether another worker waits for work. */
bool slot_others_idle(const Slot *slot);
