/* SPDX-License-Identifier: MIT */

/* When PHP is started anew: see replacement.h. replacing.c carries it out. */

#include "manager/decide/replacement.h"

/* 100 ms after a failure, doubling up to 30 s. */
static usec_t pause_after(unsigned n_failed)
{
        return n_failed > 0 ? MIN(100 * USEC_PER_MSEC << MIN(n_failed - 1, 9U), 30 * USEC_PER_SEC) : 0;
}

bool replacement_hopeless(const Replacement *r)
{
        return r->n_failed >= REPLACEMENT_FAILED_MAX;
}

/* At once, unless the template did not live long: the more such templates in a row, the later. */
static void schedule(Replacement *r, const ReplacementView *v)
{
        if (usec_sub(v->now, v->started) >= REPLACEMENT_LIFE_MIN)
                r->n_young = 0;
        r->at = v->now + pause_after(r->n_young++);
}

ReplacementStep replacement_decide(Replacement *r, const ReplacementView *v)
{
        if (v->forks && !v->suspect)
                return REPLACEMENT_NONE;
        if (r->at == 0)
                schedule(r, v);
        if (replacement_hopeless(r) && !v->alive && !v->forks)
                return REPLACEMENT_GIVE_UP;
        return v->now >= r->at ? REPLACEMENT_NOW : REPLACEMENT_WAIT;
}

void replacement_failed(Replacement *r, usec_t now)
{
        r->told = false;
        r->n_failed++;
        r->at = now + pause_after(r->n_failed);
}

bool replacement_other_build(Replacement *r, usec_t now)
{
        bool tell = !r->told;

        r->told = true;
        r->at = now + REPLACEMENT_OTHER_BUILD;
        return tell;
}

void replacement_done(Replacement *r, bool requested)
{
        *r = (Replacement){ .n_young = requested ? 0 : r->n_young };
}
