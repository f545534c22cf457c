/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The parking lot: a table of what is parked, by the number of the connection's descriptor. It owns the
 * descriptors. Each connection is in one place, which only lot_set_place() changes. Where it is READY, it is
 * in a queue of those that wait for a worker.
 */

#include "ipc/handoff.h"

typedef enum Place {
        PLACE_NONE,    /* no connection here has this descriptor */
        PLACE_WATCHED, /* it waits for its client */
        PLACE_RESTING, /* it has a head that is not looked at before its turn: heads.h */
        PLACE_READY,   /* its client has said something: it waits for a worker, as long as that takes */
        _PLACE_MAX,
} Place;

typedef struct Parked {
        Origin origin;
        uint32_t head_size; /* what origin.head takes (heads.h); 0 without one */
        int next;           /* behind it in the queue; -EBADF at its end */
        Place place;
} Parked;

typedef struct Lot {
        Parked *parked; /* index: descriptor */
        size_t n_slots; /* of parked[] */
        size_t count;   /* connections */
        int ready_first, ready_last; /* -EBADF for none */
        size_t n_ready;
} Lot;

/* A lot without anything; lot_clear() closes what it has then. */
#define LOT_EMPTY ((Lot){ .ready_first = -EBADF, .ready_last = -EBADF })
void lot_clear(Lot *lot);

/* Makes sure that a connection of this descriptor can be put there. 0 or -ENOMEM. */
int lot_reserve(Lot *lot, int fd);

/* Puts a connection there, with its head if it has one, to be watched or to rest; both become the lot's. */
void lot_put(Lot *lot, int fd, const Origin *origin, uint32_t head_size, Place place);

/* From RESTING to WATCHED, or from either to READY. A connection that is READY stays so until it leaves. */
void lot_set_place(Lot *lot, int fd, Place place);

/* Closes a connection and its head. One that is READY leaves as the first of its queue. */
void lot_drop(Lot *lot, int fd);

/* A connection that is there. */
const Parked *lot_get(const Lot *lot, int fd);

/* Where the connection of this descriptor is; PLACE_NONE for any other number. */
Place lot_place(const Lot *lot, int fd);

/* Each descriptor of the lot's, in the order of their numbers; the one at hand may be dropped. */
#define FOREACH_PARKED(fd, lot)                                                                             \
        for (int fd = 0; (size_t) fd < (lot)->n_slots; fd++)                                                \
                if ((lot)->parked[fd].place != PLACE_NONE)
