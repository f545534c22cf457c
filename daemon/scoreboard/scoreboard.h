/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The scoreboard of a generation: a memfd that the manager and the generation's processes map. One slot
 * per worker, aligned to cache lines, with exactly one writer, the worker, but for one line of it that
 * only the manager writes; no locks. A reader copies a slot out and checks the ranges: a worker can lie
 * about itself, wake the manager for nothing, or undo its pool's time limits. It can do nothing to the
 * manager.
 *
 * The header says what wakes the manager. Which workers are idle is a set of bits, one a slot: a worker that
 * dies between two changes leaves no count wrong.
 */

#include <sys/types.h>

#include "base/time.h"

/* A worker's stage. The status shows FPM's names. */
#define STAGE_LIST                                                                                          \
        STAGE(FREE, "Free")         /* no worker has the slot; set by the manager */                        \
        STAGE(STARTING, "Starting") /* set by the manager when it orders the worker */                      \
        STAGE(IDLE, "Idle")                                                                                 \
        STAGE(READING, "Reading headers")                                                                   \
        STAGE(RUNNING, "Running")                                                                           \
        STAGE(SENDING, "Finishing")   /* the script ended; the client does not take the answer */           \
        STAGE(FINISHING, "Finishing") /* shutdown functions and clean-up; mostly answered */                \
        STAGE(ENDING, "Ending")       /* takes no more work and is about to exit */

typedef enum Stage {
#define STAGE(name, text) STAGE_##name,
        STAGE_LIST
#undef STAGE
        _STAGE_MAX,
} Stage;

const char *stage_to_string(Stage stage);

/* Whether a worker at this stage has a request, or part of one. */
static inline bool stage_has_request(Stage stage)
{
        return stage >= STAGE_READING && stage <= STAGE_FINISHING;
}

#define SCOREBOARD_SLOTS_MAX 4160
#define SCOREBOARD_METHOD_MAX 16
#define SCOREBOARD_URI_MAX 1024
#define SCOREBOARD_SCRIPT_MAX 512
#define SCOREBOARD_USER_MAX 64

/* A worker's own record of itself. Strings are cut to fit. */
typedef struct WorkerRecord {
        pid_t pid;
        Stage stage;
#define COUNTER(field, counted, sum, status) uint64_t field;
#include "scoreboard/counters.def"
        usec_t request_started;  /* CLOCK_MONOTONIC; 0 before the first */
        usec_t sending_started;  /* CLOCK_MONOTONIC: when this request's client, or one before, first kept
                                  * the worker waiting after the script's end */
        usec_t request_ended;    /* CLOCK_MONOTONIC, of the last finished request; 0 before the first */
        usec_t request_duration; /* of the last finished request */
        usec_t request_cpu;      /* user and system time of the last finished request */
        uint64_t request_memory; /* its peak, in bytes */
        uint64_t content_length; /* of the current or last request */
        char method[SCOREBOARD_METHOD_MAX];
        char uri[SCOREBOARD_URI_MAX]; /* REQUEST_URI, as the client sent it */
        char script[SCOREBOARD_SCRIPT_MAX];
        char user[SCOREBOARD_USER_MAX];
} WorkerRecord;

typedef struct Scoreboard Scoreboard;

/*
 * The manager's: a new board of n_slots free slots, in a memfd that cannot be resized. 0, -ERANGE for more
 * than SCOREBOARD_SLOTS_MAX, or -errno.
 */
int scoreboard_new(size_t n_slots, Scoreboard **ret);

/*
 * A worker's: maps the board behind fd, which stays the caller's. -EBADMSG for one of another form. 0 or
 * -errno.
 */
int scoreboard_map(int fd, Scoreboard **ret);

void scoreboard_free(Scoreboard *board);
DEFINE_CLEANUP(Scoreboard *, scoreboard_free)

/* The manager's memfd, which stays the board's; -EBADF for a mapped one. */
int scoreboard_fd(const Scoreboard *board);

size_t scoreboard_size(const Scoreboard *board);

/* ---- A worker, on its own slot ---- */

/* Takes the slot: writes the pid. The stage stays STARTING. 0, or -ERANGE for no such slot. */
int scoreboard_attach(Scoreboard *board, size_t slot);

/*
 * Where the worker writes: between scoreboard_begin() and scoreboard_end(), which let a reader notice a torn
 * copy.
 */
WorkerRecord *scoreboard_begin(Scoreboard *board, size_t slot);
void scoreboard_end(Scoreboard *board, size_t slot);

/*
 * Changes the stage, and the idle count with it. True when the caller must wake the manager: the worker
 * is idle for the first time, or the idle count left the bounds that the manager has set (scoreboard_arm()).
 */
bool scoreboard_set_stage(Scoreboard *board, size_t slot, Stage stage);

/*
 * The request gets on: its client took some of the answer, or brought some of the body. Costs no clock: the
 * manager sees that it happened, and knows itself when it looked last.
 */
void scoreboard_note_progress(Scoreboard *board, size_t slot);

/*
 * A request with a time limit begins. True for the worker that must start the generation's timer, because it
 * does not run.
 */
bool scoreboard_claim_timer(Scoreboard *board);

/*
 * Whether somebody looks at the status: workers then measure what only the status shows, which costs
 * something. It may be read at any time, and may change while a request runs.
 */
bool scoreboard_watched(const Scoreboard *board);

/* Whether the manager has condemned the request that the slot is at. Async-signal-safe. */
bool scoreboard_condemned(const Scoreboard *board, size_t slot);

/* ---- The manager ---- */

/* How often the worker has noted progress, of whichever request; 0 for a free slot. */
uint64_t scoreboard_progress(const Scoreboard *board, size_t slot);

/* Marks a free slot as STARTING. */
void scoreboard_reserve(Scoreboard *board, size_t slot);

/* The worker is dead and buried: takes it out of the idle count and frees the slot. */
void scoreboard_release(Scoreboard *board, size_t slot);

/*
 * Copies a slot out: the stage is in range, strings end. False when a writer kept it torn; the copy is
 * usable.
 */
bool scoreboard_read(const Scoreboard *board, size_t slot, WorkerRecord *ret);

/* The stage alone, in range. */
Stage scoreboard_stage(const Scoreboard *board, size_t slot);

/*
 * Condemns the request with this number, counted from 1 in the life of the slot's worker. A worker that lies
 * about its requests may have made it 0, which condemns none.
 */
void scoreboard_condemn(Scoreboard *board, size_t slot, uint64_t request);

/* Says to workers whether somebody looks at the status. */
void scoreboard_set_watched(Scoreboard *board, bool watched);

/* The timer does not run: the next request with a time limit is to start it. */
void scoreboard_offer_timer(Scoreboard *board);

/*
 * Asks to be woken once when fewer than least workers are idle, and once when as many as surplus are; 0 for
 * never.
 */
void scoreboard_arm(Scoreboard *board, unsigned least, unsigned surplus);
