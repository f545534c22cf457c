/* SPDX-License-Identifier: MIT */

/* The counts of generation-count.h: one walk over the slots each. A worker's own words are not believed. */

#include "manager/pool/generation-count.h"

/* Counts an idle worker that has so much time left. */
static void count_expiry(GenerationCount *count, usec_t left)
{
        if (left == 0)
                count->expired++;
        else
                count->expiry = MIN(count->expiry, left);
}

static void count_idle(GenerationCount *count, const Generation *g, size_t slot, usec_t now)
{
        usec_t timeout = g->config->pm_process_idle_timeout;

        count->idle++;
        if (g->config->pm_mode == PM_ONDEMAND)
                count_expiry(count, usec_sub(usec_add(workers_idle_since(&g->workers, slot), timeout), now));
}

GenerationCount generation_count(const Generation *g)
{
        GenerationCount count = { .expiry = g->config->pm_process_idle_timeout };
        usec_t now = now_monotonic();

        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerState state = g->workers.slots[i].state;
                Stage stage = scoreboard_stage(g->workers.board, i);

                if (state == WORKER_NONE || state == WORKER_LOST)
                        continue;
                if (state == WORKER_RETIRING)
                        count.retiring++;
                else if (state == WORKER_ORDERED || stage <= STAGE_STARTING)
                        count.starting++;
                else if (stage == STAGE_IDLE)
                        count_idle(&count, g, i, now);
                else
                        count.busy++;
        }
        return count;
}

size_t generation_alive(const Generation *g)
{
        size_t n = 0;

        for (size_t i = 0; i < g->workers.n; i++)
                n += worker_lives(&g->workers.slots[i]);
        return n;
}

bool generation_expects(const Generation *g)
{
        for (size_t i = 0; i < g->workers.n; i++)
                if (g->workers.slots[i].state == WORKER_ORDERED)
                        return true;
        return false;
}

bool generation_accepts(const Generation *g)
{
        for (size_t i = 0; i < g->workers.n; i++)
                if (workers_accepts(&g->workers, i))
                        return true;
        return false;
}

usec_t generation_last_active(const Generation *g)
{
        usec_t last = 0;

        for (size_t i = 0; i < g->workers.n; i++) {
                usec_t since = workers_idle_since(&g->workers, i);

                if (since != USEC_INFINITY)
                        last = MAX(last, since);
        }
        return last;
}

/* A time that a worker gave: one that is yet to come is none. */
static usec_t past(usec_t t, usec_t now)
{
        return t <= now ? t : 0;
}

usec_t generation_last_request(const Generation *g)
{
        usec_t last = 0, now = now_monotonic();

        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerRecord record;

                if (!worker_lives(&g->workers.slots[i]))
                        continue;
                (void) scoreboard_read(g->workers.board, i, &record);
                last = MAX(last, past(record.request_started, now));
                last = MAX(last, past(record.request_ended, now));
        }
        return last;
}

uint64_t generation_progress(const Generation *g)
{
        uint64_t n = 0;

        for (size_t i = 0; i < g->workers.n; i++)
                n += scoreboard_progress(g->workers.board, i);
        return n;
}
