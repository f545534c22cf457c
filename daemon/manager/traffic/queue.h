/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many connections wait for a worker: in the listening sockets, and those that were parked and have
 * something to say again. PHP-FPM's words: "listen queue", its maximum so far, and its length, which is
 * how many may wait.
 */

#include "manager/traffic/listen.h"
#include "manager/traffic/parking.h"

typedef struct Queue Queue;

typedef struct QueueCount {
        uint64_t length;  /* connections that wait */
        uint64_t highest; /* the most that were seen, this time included */
        uint64_t limit;   /* how many the listening sockets can hold; parked ones have no such limit */
} QueueCount;

/*
 * The sockets and the parking stay the caller's and must outlive it. Logs, once, that the system does not
 * tell what waits in a Unix socket. 0 or -errno.
 */
int queue_new(const Listen *listen, const Parking *parking, Queue **ret);
void queue_free(Queue *queue);
DEFINE_CLEANUP(Queue *, queue_free)

/* Counts: a system call for each TCP socket, two for each Unix socket. What cannot be told counts as 0. */
QueueCount queue_look(Queue *queue);

/* Whether anything waits: true also where the system does not tell how much. One poll(2). */
bool queue_waiting(const Queue *queue);
