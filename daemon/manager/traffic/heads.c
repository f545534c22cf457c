/* SPDX-License-Identifier: MIT */

/*
 * The heads of parked connections: see heads.h. It owns the timer and the sums; the connections, and who is
 * watched, are parking.c's, its only caller. No head is ever read here: only workers look into them.
 */

#include "manager/traffic/heads.h"

#include <sys/stat.h>

/* What a memfd takes is counted in these. */
#define HEAD_PAGE ((size_t) 4096)

struct Heads {
        sd_event_source *timer;
        usec_t due; /* when it elapses; USEC_INFINITY while it is off */
        size_t n, size;
        HeadsOnTurn *on_turn;
        void *userdata;
};

bool head_rests(const Origin *origin)
{
        return origin->head >= 0 && origin->moves > HEAD_MOVES_MAX;
}

usec_t head_first_turn(const Origin *origin, usec_t now)
{
        return head_rests(origin) ? now + HEADS_INTERVAL : origin->deadline;
}

HeadVerdict head_decide(const Origin *origin, bool resting, usec_t now)
{
        if (now >= origin->deadline)
                return HEAD_OVER;
        return resting ? HEAD_WATCH : HEAD_LEAVE;
}

usec_t head_next_turn(const Origin *origin, bool resting, usec_t now)
{
        return resting ? MIN(now + HEADS_INTERVAL, origin->deadline) : origin->deadline;
}

size_t head_pages_size(size_t size)
{
        return (size + HEAD_PAGE - 1) & ~(HEAD_PAGE - 1);
}

static void look_at(Heads *h, usec_t when)
{
        if (when >= h->due)
                return;
        h->due = when;
        (void) sd_event_source_set_time(h->timer, when);
        (void) sd_event_source_set_enabled(h->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        usec_t now = now_monotonic(), next;
        Heads *h = userdata;

        next = h->on_turn(now, h->userdata);
        h->due = USEC_INFINITY;
        if (next < USEC_INFINITY)
                look_at(h, MAX(next, now + HEADS_INTERVAL));
        return 0;
}

int heads_new(sd_event *event, HeadsOnTurn *on_turn, void *userdata, Heads **ret)
{
        _cleanup_(heads_freep) Heads *h = NULL;
        int r;

        h = malloc(sizeof *h);
        if (!h)
                return -ENOMEM;
        *h = (Heads) { .due = USEC_INFINITY, .on_turn = on_turn, .userdata = userdata };

        r = sd_event_add_time(event, &h->timer, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC, on_timer, h);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(h->timer, SD_EVENT_OFF);
        (void) sd_event_source_set_description(h->timer, "heads");
        *ret = TAKE_PTR(h);
        return 0;
}

void heads_free(Heads *h)
{
        if (!h)
                return;
        sd_event_source_disable_unref(h->timer);
        free(h);
}

int heads_measure(const Heads *h, int head, uint32_t *ret_size)
{
        struct stat st;
        size_t size;

        if (fstat(head, &st) < 0)
                return -errno;
        if (st.st_size < 0 || st.st_size > (off_t) HANDOFF_HEAD_MAX)
                return -EFBIG;
        size = head_pages_size((size_t) st.st_size);
        if (size > HEADS_SIZE_MAX - h->size)
                return -ENOBUFS;
        *ret_size = (uint32_t) size;
        return 0;
}

void heads_add(Heads *h, const Origin *origin, uint32_t size, usec_t now)
{
        assert(origin->head >= 0);
        assert(size <= HEADS_SIZE_MAX - h->size);

        h->n++;
        h->size += size;
        look_at(h, head_first_turn(origin, now));
}

void heads_remove(Heads *h, uint32_t size)
{
        assert(h->n > 0 && h->size >= size);

        h->n--;
        h->size -= size;
}

size_t heads_count(const Heads *h)
{
        return h->n;
}
