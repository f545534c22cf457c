/* SPDX-License-Identifier: MIT */
#pragma once

/* What a worker says about itself on the scoreboard. */

#include "base/params.h"
#include "scoreboard/scoreboard.h"

typedef struct Report {
        Scoreboard *board;
        size_t slot;
        int wake_fd;      /* eventfd of the manager */
        uint64_t counted; /* requests finished */
        usec_t request_duration; /* of the last one that finished */
} Report;

/* Changes the stage, and wakes the manager if that is what it waits for. */
void report_stage(const Report *report, Stage stage);

/*
 * Counts one more: report_count_FIELD(report), for each counter of scoreboard/counters.def of which a sum is
 * made. (The others, and requests, are part of a request's end.)
 */
#define REPORT_COUNT_SUM(field)                                                                             \
        static inline void report_count_##field(const Report *report)                                       \
        {                                                                                                   \
                scoreboard_begin(report->board, report->slot)->field++;                                     \
                scoreboard_end(report->board, report->slot);                                                \
        }
#define REPORT_COUNT_HIGHEST(field)
#define COUNTER(field, sum, status) REPORT_COUNT_##sum(field)
#include "scoreboard/counters.def"

/* A request begins; what will run is not known yet. */
void report_request(const Report *report, const Params *params);

/* What will run, and for which user by HTTP's authentication, "" for none. */
void report_script(const Report *report, const char *script, const char *user);

/* The script has ended, and the client keeps its answer waiting. */
void report_sending(const Report *report);

/* The client took some of the answer, or brought some of the body. */
void report_progress(const Report *report);

/* It ended; memory is its peak in bytes, cpu its processor time, 0 where that was not measured. */
void report_request_end(Report *report, uint64_t memory, usec_t cpu);

/* Whether another worker waits for work. */
bool report_others_idle(const Report *report);
