/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The book: all that the manager knows of its pool, in groups. A handler of an event only records a fact or
 * a wish in it; step.c then has life/ act on it, once at the end of a turn of the loop; face/ reads it after
 * that, and tells others what has changed.
 */

#include <systemd/sd-event.h>

#include "manager/decide/deaths.h"
#include "manager/decide/reasons.h"
#include "manager/decide/replacement.h"
#include "manager/decide/saturation.h"
#include "manager/pool/generation.h"
#include "manager/pool/left.h"
#include "manager/pool/totals.h"
#include "manager/traffic/listen.h"
#include "manager/traffic/parking.h"
#include "manager/traffic/queue.h"

/* The life of a pool. Only pool_set_state() changes it. */
#define POOL_STATE_LIST                                                                                     \
        POOL_STATE(STARTING, "starting") /* the first generation starts */                                  \
        POOL_STATE(RUNNING, "running")                                                                      \
        POOL_STATE(RELOADING, "reloading") /* a new generation starts beside the current one */             \
        POOL_STATE(DRAINING, "draining")   /* no new work; requests finish */                               \
        POOL_STATE(STOPPING, "stopping")   /* the last process is gone; the loop ends */

typedef enum PoolState {
#define POOL_STATE(name, text) POOL_##name,
        POOL_STATE_LIST
#undef POOL_STATE
        _POOL_STATE_MAX,
} PoolState;

const char *pool_state_to_string(PoolState state);

/* Why a new generation starts. */
typedef enum ReloadReason {
        RELOAD_REQUESTED, /* systemctl reload, SIGHUP */
        RELOAD_REPLACE,   /* the settings stay, the template is new: the old one died, or lost workers */
} ReloadReason;

typedef struct Life {
        PoolState state;
        ReloadReason reason; /* of the last generation to start */
        StopReason stop;     /* a wish: that the pool ends, and why; the first one counts */
        usec_t started;      /* CLOCK_REALTIME: the manager */
        bool start_told;     /* it was said that the generation that starts takes its time */
} Life;

/*
 * Reloads that were asked for, as numbered tickets. One reload serves all tickets that were there when it
 * began; a ticket that comes while it runs waits for the next one, as the pool file may have changed since.
 */
typedef struct Reloads {
        uint64_t asked;  /* the newest ticket */
        uint64_t taken;  /* the newest ticket that the last reload to begin is for */
        uint64_t served; /* the newest ticket whose reload has ended */
        bool failed;     /* that reload was refused, or failed */
        char *failure;   /* why: a sentence; NULL where there was no memory for it */
} Reloads;

/* idle_exit: see life/idle.h. */
typedef struct Idle {
        usec_t last_active; /* CLOCK_MONOTONIC: when the pool last had work, as far as is known */
        bool leaving;       /* idle_exit is due */
        Left left;          /* programs for which the pool stays all the same */
        usec_t left_since;  /* CLOCK_MONOTONIC: since when */
        pid_t left_told;    /* the one that was told of */
        bool blind;         /* the system does not tell of them, and that was said */
} Idle;

typedef struct Sizing {
        bool demand;       /* a connection waits and there is no worker */
        bool rouse;        /* a worker died that may have been the only one to be told of a connection */
        bool watch;        /* the listening sockets are to tell of the next connection, once */
        usec_t tick;       /* CLOCK_MONOTONIC: when the next maintenance is due; 0 for none */
        usec_t last_spawn; /* CLOCK_MONOTONIC */
        size_t last_batch;
        usec_t hold_spawn; /* CLOCK_MONOTONIC: no worker is ordered before */
        Saturation saturation;
        Idle idle;
} Sizing;

/* Whether the pool can serve, as life/verdict.c found when it was last asked. */
typedef struct Health {
        bool watchdog;      /* systemd asks for pings */
        bool asked;         /* a wish: a ping is due, and the verdict to be found anew */
        const char *reason; /* why nobody can be served, a constant: decide/health.h; NULL for well */
        bool stalled;       /* that is, since every request hangs */
        usec_t well_at;     /* CLOCK_MONOTONIC: when it was last seen to get on, to have room or no need */
        uint64_t progress;  /* workers' notes of progress, as they were seen last */
} Health;

typedef struct Pool {
        const char *name;
        const char *config_path;

        sd_event *event;
        sd_event_source *step_source; /* deferred: runs the step once, at the end of this turn */
        uint64_t n_changes;           /* how often something has happened */

        Listen listen;
        Parking *parking;
        Queue *queue;
        int wake_fd;               /* eventfd that workers write to */
        int error_fd;              /* our standard error, for templates to inherit */
        uint64_t descriptor_limit; /* the soft RLIMIT_NOFILE that systemd gave us */

        Generation *current; /* serves */
        Generation *next;    /* starts */
        Generation *retired; /* list: finish their requests */
        uint64_t last_generation;

        Life life;
        Reloads reloads;
        Sizing sizing;
        Replacement replacement;
        Deaths deaths;
        Health health;
        Totals totals;

        usec_t watched_until; /* CLOCK_MONOTONIC: until then workers measure what only the status shows */
        bool watched;         /* they were told to */
} Pool;

/* Makes an empty book; the sockets become the book's. */
void pool_init(Pool *p, const char *name, const char *config_path, Listen *listen);

/* Frees what the book owns, generations included: no worker may be alive. */
void pool_done(Pool *p);

/*
 * The only way to another state, which must be one that may follow; another step is taken. Faces tell
 * others.
 */
void pool_set_state(Pool *p, PoolState state);

/* ---- Facts and wishes, for handlers of events ---- */

/* Something happened: a step is taken at the end of this turn of the loop. */
static inline void pool_changed(Pool *p)
{
        p->n_changes++;
        (void) sd_event_source_set_enabled(p->step_source, SD_EVENT_ONESHOT);
}

/*
 * A ping of systemd's watchdog is due: the step is to find whether the pool can serve. Nothing has happened.
 */
static inline void pool_ask_verdict(Pool *p)
{
        p->health.asked = true;
        (void) sd_event_source_set_enabled(p->step_source, SD_EVENT_ONESHOT);
}

/* A reload is wished for. Its ticket: Reloads.served reaches it once that reload has ended. */
static inline uint64_t pool_ask_reload(Pool *p)
{
        pool_changed(p);
        return ++p->reloads.asked;
}

/* The pool is to end: no new work, running requests finish. The first reason counts. */
static inline void pool_ask_stop(Pool *p, StopReason why)
{
        if (p->life.stop == STOP_NONE)
                p->life.stop = why;
        pool_changed(p);
}

/* Somebody looks at the status: for a while, workers are to measure what only it shows. */
void pool_note_watched(Pool *p);

/* The reload that the taken tickets are for has ended; why is NULL for success, otherwise a sentence. */
void pool_reload_ended(Pool *p, const char *why);

/* Orders no worker for a while: longer, the more in a row (from 1) did not come to be. */
void pool_hold_spawn(Pool *p, unsigned n_failed);

/* ---- What the book says ---- */

/* Whether the pool ends, or has been told to. */
static inline bool pool_ends(const Pool *p)
{
        return p->life.state >= POOL_DRAINING || p->life.stop != STOP_NONE;
}

/* The generation behind g, of all that a pool has; behind NULL the first, and NULL behind the last. */
static inline Generation *pool_generation_after(const Pool *p, const Generation *g)
{
        if (!g && p->current)
                return p->current;
        if ((!g || g == p->current) && p->next)
                return p->next;
        return !g || g == p->current || g == p->next ? p->retired : g->older;
}

/* Each generation: the one that serves, the one that starts, those that end. None may be freed meanwhile. */
#define FOREACH_GENERATION(g, p)                                                                            \
        for (Generation *g = pool_generation_after(p, NULL); g; g = pool_generation_after(p, g))

/* Workers of generations that end, which live on. */
size_t pool_retired_alive(const Pool *p);

/* The template is gone, and has failed to start again so often in a row that it will hardly do so. */
bool pool_lost_template(const Pool *p);

/* Remembers the earliest deadline of a step. 0 is none. */
static inline void earlier(usec_t *earliest, usec_t deadline)
{
        if (deadline > 0 && deadline < *earliest)
                *earliest = deadline;
}
