/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where a worker's work comes from, in one epoll set: listening sockets and the hand-off queue (both with
 * EPOLLEXCLUSIVE, so that one connection wakes one worker), the order to retire, and the worker's own
 * connection.
 */

#include "worker/context.h"

/* Sources below INHERIT_LISTEN_MAX are listening sockets, by index. */
typedef enum Source {
        SOURCE_HANDOFF = INHERIT_LISTEN_MAX,
        SOURCE_OWN,
        SOURCE_RETIRE,
        _SOURCE_MAX,
} Source;

typedef struct Sources {
        int epoll_fd;
        bool own;      /* the own connection is in the set */
        unsigned next; /* the source that goes first when several have work */
} Sources;

/* What there is to do: what one wake-up told, and maybe nobody else. */
typedef struct Work {
        bool retire;    /* ordered, or the manager is gone */
        bool own;       /* the own connection has something to read, or has ended */
        uint64_t ready; /* listening sockets and the hand-off queue: a bit for each Source */
} Work;

static_assert(SOURCE_HANDOFF < 64, "Work.ready has a bit for each source.");

/* Watches all but an own connection; the descriptors stay the caller's. 0 or -errno. */
int sources_open(Sources *sources, const Inherit *inherit, int retire_fd);
void sources_close(Sources *sources);

/* Takes the own connection in, if it is not. 0 or -errno. */
int sources_watch_own(Sources *sources, int fd);

/* Takes it out; to be called before it is closed, because others may hold the same socket. */
void sources_forget_own(Sources *sources, int fd);

/* Waits, for so long at most. 1, 0 when the time is up, or -errno; there may be nothing to do. */
int sources_wait(Sources *sources, usec_t timeout, Work *ret);

/* Takes the source whose turn it is out of what is ready. -1 for none. */
int sources_take(Sources *sources, Work *work);
