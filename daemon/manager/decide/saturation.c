/* SPDX-License-Identifier: MIT */

/*
 * Whether connections wait for a full pool: see saturation.h. The manager does not hear of connections that
 * workers take, and should not. So it waits for one event: no worker is idle any more, or a connection comes
 * while none is. Then it looks; where no connection waits, it does not look again for a while.
 */

#include "manager/decide/saturation.h"

/* Whether the event has come, and no connection waits. */
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
