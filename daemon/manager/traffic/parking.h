/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Parked connections: those that a worker has handed to the manager (ipc/handoff.h), because the client
 * has nothing (more) to say while other work waits. The manager watches a parked connection, and hands it
 * out, to whichever worker is idle, as soon as the client sends something. No connection holds a worker,
 * and a reload touches none. Where a client has sent part of a request's head, that is kept beside its
 * connection (heads.h).
 *
 * Parked connections are watched by an epoll instance of their own, which is one descriptor in the
 * manager's loop: a parked connection costs its descriptor, an epoll item and a few bytes.
 */

#include <systemd/sd-event.h>

#include "base/util.h"
#include "ipc/handoff.h"

typedef struct Parking Parking;

/*
 * The most connections that are parked: those beyond are closed, as a server may do with one that is idle.
 * Fewer where RLIMIT_NOFILE is low, of which so many are left for everything else (a worker takes one), or
 * half.
 */
#define PARKING_CONNECTIONS_MAX 16384
#define PARKING_DESCRIPTORS_LEFT 4608

/*
 * Opens the hand-off socket pair and watches it in the loop. on_change is called when connections came to
 * wait for a worker, or clients went. 0 or -errno.
 */
int parking_new(sd_event *event, void (*on_change)(void *userdata), void *userdata, Parking **ret);

/*
 * Workers' questions for the status (ipc/handoff.h) come the same way: who answers them. The socket stays
 * the parking's. Without an answer the worker sees it closed.
 */
typedef void ParkingOnStatus(const HandoffQuestion *question, int socket, void *userdata);
void parking_set_on_status(Parking *parking, ParkingOnStatus *on_status, void *userdata);

/* Closes every parked connection. */
void parking_free(Parking *parking);
DEFINE_CLEANUP(Parking *, parking_free)

/* The workers' end of the hand-off socket, which stays the parking's; workers inherit it. */
int parking_worker_fd(const Parking *parking);

/* Takes a connection that waited in systemd's descriptor store; the descriptor is taken. 0 or -errno. */
int parking_adopt(Parking *parking, Protocol protocol, int connection);

/*
 * The pool stops: what clients have sent so far is handed out for the last time; who speaks later, is left
 * to parking_store(). Workers are told to end after that.
 */
void parking_stop(Parking *parking);

/*
 * Leaves connections to systemd's descriptor store, from which the next manager gets them back (store.h):
 * kept connections outlive a restart. Those of which part of a request was read are closed, and those
 * beyond the bounds; first come those whose client has said something. No worker may be alive.
 *
 * descriptor_limit is the soft RLIMIT_NOFILE with which systemd starts the next manager.
 */
void parking_store(Parking *parking, uint64_t descriptor_limit);

/*
 * A worker died that the kernel may have told of a connection in the hand-off queue, and nobody else
 * (EPOLLEXCLUSIVE): tells of one anew.
 */
void parking_rouse(Parking *parking);

/* Whether connections wait for a worker: in the hand-off queue, or because it is full. */
bool parking_waiting(const Parking *parking);

/* How many connections wait for a worker: those that parking_waiting() tells of. */
size_t parking_ready_count(const Parking *parking);

/* Whether no further connection would be taken. */
bool parking_is_full(const Parking *parking);

/* How many connections are parked or on their way back to a worker. */
size_t parking_count(const Parking *parking);
