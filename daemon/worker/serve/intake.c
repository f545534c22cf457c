/* SPDX-License-Identifier: MIT */

/*
 * What a worker takes next: see intake.h. Later wake-ups than the last go elsewhere: a worker that ends
 * waits in no source any more. What is taken here is given to own.c or to the manager; nothing is read of
 * it.
 */

#include "worker/serve/intake.h"

#include "base/fd.h"
#include "worker/serve/park.h"

/* How often in a row a worker's own connection may go first while others wait. */
#define OWN_TURNS_MAX 4

int intake_open(Intake *i, const WorkerContext *context, int retire_fd, const Slot *slot, Own *own)
{
        i->context = context;
        i->slot = slot;
        i->taker = taker_make(context, retire_fd);
        i->own = own;
        i->retire_fd = retire_fd;
        return sources_open(&i->sources, &context->inherit, retire_fd);
}

void intake_close(Intake *i)
{
        sources_close(&i->sources);
}

int intake_wait(Intake *i, usec_t timeout)
{
        return sources_wait(&i->sources, timeout, &i->work);
}

bool intake_told_to_end(const Intake *i)
{
        return i->work.retire;
}

/* Takes a connection from where there was one, and gives it its turn. 1, 0 for none, or -EPIPE. */
static int take_one(Intake *i, int source)
{
        Origin origin;
        int fd;

        fd = taker_take(&i->taker, source, &origin);
        if (fd >= 0)
                own_open(i->own, fd, &origin);
        return fd == -EPIPE ? fd : fd >= 0;
}

/*
 * Takes a connection and passes it to the manager, for another worker. 1, 0 where the manager cannot take
 * it: it has its turn here, as far as PHP still can; or -EPIPE.
 */
static int pass_on(Intake *i, int source, bool can_serve)
{
        Origin origin;
        int fd, r;

        fd = taker_take(&i->taker, source, &origin);
        if (fd < 0)
                return fd == -EPIPE ? fd : 1;
        r = park_fd(i->context->inherit.handoff, &origin, fd);
        if (r >= 0 || !can_serve) {
                origin_close(&origin);
                fd_close(fd);
        } else
                own_open(i->own, fd, &origin);
        return r >= 0;
}

/* What this worker cannot do at once would wait for it, while others are idle and were not told. */
static bool others_could_work(const Intake *i)
{
        const Work *w = &i->work;

        if (!(w->own && w->ready) && !(w->ready & (w->ready - 1)))
                return false; /* it is one thing */
        return slot_others_idle(i->slot);
}

/* Makes room for other work. True when there is. */
static bool clear_own(Intake *i, bool share)
{
        bool waiting = i->work.ready;

        if (!own_is_there(i->own))
                return true;

        if (i->work.own && !share && (!waiting || i->own_turns < OWN_TURNS_MAX)) {
                i->own_turns = waiting ? i->own_turns + 1 : 0;
                own_give_turn(i->own, 0);
                return false;
        }

        i->own_turns = 0;
        if (!waiting || own_park(i->own) >= 0)
                return true;
        own_wait_to_park(i->own, i->retire_fd);
        return false;
}

int intake_take(Intake *i)
{
        bool share = others_could_work(i);
        int source;

        if (!clear_own(i, share))
                return 0;

        source = sources_take(&i->sources, &i->work);
        for (; share && i->work.ready; source = sources_take(&i->sources, &i->work)) {
                int r = pass_on(i, source, /* can_serve= */ true);

                if (r <= 0)
                        return r;
        }
        return source >= 0 && take_one(i, source) < 0 ? -EPIPE : 0;
}

int intake_pass_last(Intake *i, bool can_serve)
{
        int source = sources_take(&i->sources, &i->work), r;

        if (source < 0)
                return 0;
        r = pass_on(i, source, can_serve);
        return r < 0 ? r : 1;
}

bool intake_serve_last(Intake *i)
{
        int source = sources_take(&i->sources, &i->work);

        if (source < 0)
                return take_one(i, SOURCE_HANDOFF) > 0;
        (void) take_one(i, source);
        return true;
}
