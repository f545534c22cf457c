/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The workers of one generation: a slot each on its scoreboard, and what the manager knows of the process
 * that has the slot. Whatever is written about a worker here is the manager's own; what the worker says of
 * itself is read from the board. Which workers there ought to be is decided elsewhere.
 */

#include <sys/eventfd.h>
#include <sys/types.h>

#include "manager/decide/limits.h"
#include "manager/decide/reasons.h"
#include "scoreboard/scoreboard.h"

/* The life of a worker. Only set_state() in workers.c changes it, by worker_may_follow(). */
typedef enum WorkerState {
        WORKER_NONE,     /* the slot is free */
        WORKER_ORDERED,  /* the template was asked for it */
        WORKER_LIVE,     /* forked: its pid is known */
        WORKER_RETIRING, /* and told to end after its request */
        WORKER_LOST,     /* its launcher died: perhaps it lives; told to end, the slot is not used again */
        _WORKER_STATE_MAX,
} WorkerState;

/* Whether a worker may go from one state to the other. */
bool worker_may_follow(WorkerState before, WorkerState after);

typedef struct Worker {
        WorkerState state;
        pid_t pid;         /* of WORKER_LIVE and WORKER_RETIRING; 0 for the others */
        int retire_fd;     /* eventfd: a write orders it to end */
        usec_t started;    /* CLOCK_REALTIME, when it was ordered: for people */
        usec_t ordered;    /* CLOCK_MONOTONIC */
        usec_t forked;     /* CLOCK_MONOTONIC, when we learned of it */
        usec_t ready;      /* CLOCK_MONOTONIC, when the manager saw that it had started; 0 before */
        KillReason killed; /* why we sent it SIGKILL */

        uint64_t limit_request; /* what is known of limits is about this request, counted from 1 */
        bool traced;            /* it was asked to be in the slow log */
        LimitMeasure limit_measure;
        usec_t limit_since; /* CLOCK_MONOTONIC, when that step was taken */
} Worker;

typedef struct Workers {
        Scoreboard *board;
        Worker *slots; /* one for each slot of the board */
        size_t n;
} Workers;

/* Makes the board and n free slots, at most SCOREBOARD_SLOTS_MAX. 0 or -errno. */
int workers_new(size_t n, Workers *ret);

/* Frees all of it; no process of a worker may be left. */
void workers_clear(Workers *workers);

/* Whether the slot's worker has a process that is not reaped yet. */
static inline bool worker_lives(const Worker *worker)
{
        return worker->pid > 0;
}

/*
 * Marks up to n free slots as ordered, each with an eventfd of its own, and writes them to ret_slots and
 * ret_fds; the descriptors stay the slots'. The number of them, 0 where no slot is free, or -errno where
 * there is no descriptor for the first.
 */
int workers_order(Workers *workers, size_t n, uint32_t *ret_slots, int *ret_fds);

/* Whether it is a slot, and its worker is in this state: a slot that a message names may be any number. */
bool workers_in_state(const Workers *workers, size_t slot, WorkerState state);

/*
 * What became of one that was ordered. It was forked: pid (above 1) is its process; retiring says that its
 * order to end has been written already. Or its launcher died, and nobody knows: it is told to end.
 */
void workers_forked(Workers *workers, size_t slot, pid_t pid, bool retiring);
void workers_lose(Workers *workers, size_t slot);

/* Frees the slot of a worker that was never forked, or is dead and reaped; of no free or lost one. */
void workers_bury(Workers *workers, size_t slot);

/* Tells n idle workers to end, the longest idle first. */
void workers_retire_idle(Workers *workers, size_t n);

/* Tells every worker to end that was not told yet; those that are ordered will find the order. */
void workers_retire(Workers *workers, eventfd_t order);

/* Tells those that were told to end, by workers_retire() or one by one, that the pool stops. */
void workers_retire_stop(Workers *workers);

/* SIGKILLs a worker that lives, once: the first reason stays. False where that was done before. */
bool worker_kill(Worker *worker, KillReason why);

/* Looks which workers have become ready since the last look. Whether there is one. */
bool workers_look(Workers *workers);

/* Whether the slot's worker may still take a connection: it is idle, or not yet ready. */
bool workers_accepts(const Workers *workers, size_t slot);

/* Since when an idle worker has been idle, CLOCK_MONOTONIC; USEC_INFINITY for one that is not idle. */
usec_t workers_idle_since(const Workers *workers, size_t slot);

/* The slot of the worker with this pid, which is above 0; or -1. */
ssize_t workers_find(const Workers *workers, pid_t pid);
