/* SPDX-License-Identifier: MIT */

/*
 * Bookkeeping on deaths: see deaths.h. reap.c finds out who died, sizing.c and replacing.c do something
 * about it. Here are only the rules, as functions of what happened and when; no call takes longer because
 * more workers died.
 */

#include "manager/decide/deaths.h"

/* ---- Obituaries ---- */

bool obituaries_note(Obituaries *o, usec_t now)
{
        if (o->since == 0 || (o->counted == 0 && now >= usec_add(o->since, OBITUARIES_PERIOD)))
                *o = (Obituaries) { .since = now };
        if (o->written < OBITUARIES_MAX) {
                o->written++;
                return true;
        }
        o->counted++;
        return false;
}

usec_t obituaries_due(const Obituaries *o)
{
        return o->counted > 0 ? usec_add(o->since, OBITUARIES_PERIOD) : 0;
}

size_t obituaries_take(Obituaries *o, usec_t now)
{
        size_t n = o->counted;

        *o = (Obituaries) { .since = now, .written = OBITUARIES_MAX };
        return n;
}

/* ---- Replacements ---- */

/*
 * A storm begins with a second in which as many workers died as may be spawned in a second, and goes on
 * while at least half as many die. Outside of a storm, nothing is limited: single deaths are replaced at
 * once.
 */
static void next_second(Respawn *r, usec_t now, size_t rate)
{
        if (now < usec_add(r->since, USEC_PER_SEC))
                return;
        *r = (Respawn) {
                .since = now,
                .storm = now < usec_add(r->since, 2 * USEC_PER_SEC) &&
                         r->deaths >= (r->storm ? (rate + 1) / 2 : rate),
        };
}

void respawn_note(Respawn *r, usec_t now, size_t rate)
{
        next_second(r, now, rate);
        r->deaths++;
        if (r->deaths >= rate)
                r->storm = true;
}

size_t respawn_take(Respawn *r, usec_t now, size_t rate, size_t n, usec_t *ret_again)
{
        next_second(r, now, rate);
        if (r->storm)
                n = MIN(n, rate - MIN(r->spawned, rate));
        r->spawned += n;
        *ret_again = usec_add(r->since, USEC_PER_SEC);
        return n;
}

usec_t respawn_pause(unsigned n_failed)
{
        return MIN((usec_t) 50 * USEC_PER_MSEC << MIN(n_failed, 8U), 10 * USEC_PER_SEC);
}

/* ---- Crashes ---- */

bool crashes_note(Crashes *c, usec_t now, size_t threshold, usec_t interval)
{
        if (threshold == 0 || threshold > CONFIG_EMERGENCY_MAX)
                return false;
        c->times[c->n++ % CONFIG_EMERGENCY_MAX] = now;
        return c->n >= threshold &&
               usec_sub(now, c->times[(c->n - threshold) % CONFIG_EMERGENCY_MAX]) <= interval;
}

void crashes_reset(Crashes *c)
{
        c->n = 0;
}
