/* SPDX-License-Identifier: MIT */

/*
 * The table of what is parked: see lot.h. Nothing is watched, sent or timed here. For parking.c, and at the
 * end for store.c.
 */

#include "manager/traffic/lot.h"

/* From each place, where a connection may go. */
static const bool next_places[_PLACE_MAX][_PLACE_MAX] = {
        [PLACE_NONE] = { [PLACE_WATCHED] = true, [PLACE_RESTING] = true },
        [PLACE_WATCHED] = { [PLACE_READY] = true, [PLACE_NONE] = true },
        [PLACE_RESTING] = { [PLACE_WATCHED] = true, [PLACE_READY] = true, [PLACE_NONE] = true },
        [PLACE_READY] = { [PLACE_NONE] = true },
};

Place lot_place(const Lot *l, int fd)
{
        return fd >= 0 && (size_t) fd < l->n_slots ? l->parked[fd].place : PLACE_NONE;
}

const Parked *lot_get(const Lot *l, int fd)
{
        assert(lot_place(l, fd) != PLACE_NONE);
        return &l->parked[fd];
}

static void queue_append(Lot *l, int fd)
{
        l->parked[fd].next = -EBADF;
        if (l->ready_last >= 0)
                l->parked[l->ready_last].next = fd;
        else
                l->ready_first = fd;
        l->ready_last = fd;
        l->n_ready++;
}

static void queue_remove_first(Lot *l, int fd)
{
        assert(fd == l->ready_first && l->n_ready > 0);

        l->ready_first = l->parked[fd].next;
        if (l->ready_first < 0)
                l->ready_last = -EBADF;
        l->n_ready--;
}

void lot_set_place(Lot *l, int fd, Place place)
{
        Place before = lot_place(l, fd);

        assert(place < _PLACE_MAX && next_places[before][place]);

        if (before == PLACE_READY)
                queue_remove_first(l, fd);
        if (place == PLACE_READY)
                queue_append(l, fd);
        if (before == PLACE_NONE)
                l->count++;
        if (place == PLACE_NONE)
                l->count--;
        l->parked[fd].place = place;
}

int lot_reserve(Lot *l, int fd)
{
        size_t n = l->n_slots;
        Parked *bigger;

        assert(fd >= 0);

        if ((size_t) fd < n)
                return 0;

        n = MAX((size_t) fd + 1, n * 2);
        bigger = reallocarray(l->parked, n, sizeof *bigger);
        if (!bigger)
                return -ENOMEM;
        memset(bigger + l->n_slots, 0, (n - l->n_slots) * sizeof *bigger); /* PLACE_NONE */
        l->parked = bigger;
        l->n_slots = n;
        return 0;
}

void lot_put(Lot *l, int fd, const Origin *origin, uint32_t head_size, Place place)
{
        assert((size_t) fd < l->n_slots && lot_place(l, fd) == PLACE_NONE);
        assert(place == PLACE_WATCHED || origin->head >= 0);

        l->parked[fd] = (Parked) { .origin = *origin, .head_size = head_size, .next = -EBADF };
        lot_set_place(l, fd, place);
}

void lot_drop(Lot *l, int fd)
{
        lot_set_place(l, fd, PLACE_NONE);
        origin_close(&l->parked[fd].origin);
        fd_close(fd);
}

void lot_clear(Lot *l)
{
        while (l->ready_first >= 0)
                lot_drop(l, l->ready_first);
        FOREACH_PARKED(fd, l)
                lot_drop(l, fd);
        free(l->parked);
        *l = LOT_EMPTY;
}
