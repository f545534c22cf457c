/* SPDX-License-Identifier: MIT */

/*
 * Whether a full pool keeps anybody waiting: see saturation.h. Nothing tells the manager of connections that
 * workers take, and nothing should. So it has itself told of one event, that no worker is idle any more or
 * that a connection comes when none is, looks, and where nobody waits leaves it alone for a while.
 */

#include "manager/decide/saturation.h"

/* Whether the event that was waited for has come, and found nobody waiting. */
static bool was_in_vain(const Saturation *s, const SaturationView *v)
{
        return s->seen > 0 || (s->watching && v->woken) || (s->expecting && v->idle > 0);
}

static SaturationStep note_waiting(Saturation *s, usec_t now)
{
        SaturationStep step = {};

        if (s->seen == 0)
                s->seen = now;
        if (now >= usec_add(s->seen, SATURATION_CONFIRM)) {
                step.tell = true;
                s->told = now;
                s->seen = 0;
                step.again = usec_add(now, SATURATION_TELL_INTERVAL);
        } else
                step.again = usec_add(s->seen, SATURATION_CONFIRM);
        return step;
}

SaturationStep saturation_note(Saturation *s, const SaturationView *v)
{
        usec_t quiet = s->told > 0 ? usec_add(s->told, SATURATION_TELL_INTERVAL) : 0;
        SaturationStep step = {};
        bool in_vain = was_in_vain(s, v);

        s->n += v->reached && !s->reached;
        s->reached = v->reached;
        s->watching = s->expecting = false;
        if (!v->reached) {
                s->seen = s->next = 0;
                return step;
        }
        if (v->now < quiet)
                return (SaturationStep){ .again = quiet };
        if (v->waiting && v->idle == 0)
                return note_waiting(s, v->now);

        s->seen = 0;
        if (in_vain)
                s->next = usec_add(v->now, SATURATION_PAUSE);
        if (v->now < s->next)
                return (SaturationStep){ .again = s->next };
        s->watching = step.watch = v->idle == 0;
        s->expecting = v->idle > 0;
        step.least = s->expecting;
        return step;
}

void saturation_reset(Saturation *s)
{
        *s = (Saturation){ .n = s->n, .told = s->told };
}
