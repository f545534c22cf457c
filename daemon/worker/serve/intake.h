/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a worker takes next. One wake-up may tell of several things, and for each of them the kernel told
 * this worker and nobody else (EPOLLEXCLUSIVE): none of them may be left lying, whatever becomes of the
 * worker.
 */

#include "worker/serve/own.h"
#include "worker/serve/take.h"

typedef struct Intake {
        const WorkerContext *context;
        const Slot *slot;
        Taker taker;
        Sources sources;
        Work work; /* what is left of the last wake-up */
        Own *own;  /* borrowed */
        unsigned own_turns;
        int retire_fd; /* borrowed */
} Intake;

/* Watches the sources; intake_close() lets go of them, also after an error. 0 or -errno. */
int intake_open(Intake *intake, const WorkerContext *context, int retire_fd, const Slot *slot, Own *own);
void intake_close(Intake *intake);

/* Waits for something to do, so long at most. 1, 0 when the time is up, or -errno. */
int intake_wait(Intake *intake, usec_t timeout);

/* The wake-up told that the worker is to end. */
bool intake_told_to_end(const Intake *intake);

/*
 * Does what the wake-up told: gives the own connection its turn, or makes room and takes another one, which
 * has its turn then. What others can do at once goes to them. 0, or -EPIPE where the manager is gone.
 */
int intake_take(Intake *intake);

/*
 * For a worker that ends: takes the next of the connections that its last wake-up announced, one from each
 * source, which is all that a wake-up stands for, and passes it to the manager; it is served here where the
 * manager cannot take it and PHP can serve. 1, 0 when there is none left, or -EPIPE where the manager is
 * gone.
 */
int intake_pass_last(Intake *intake, bool can_serve);

/*
 * The same where nobody else may come to serve them: the next one is given its turn here, and so is all that
 * the manager handed out before it gave the order. False when there is none left.
 */
bool intake_serve_last(Intake *intake);
