/* SPDX-License-Identifier: MIT */

/* The sums of totals.h. It reads scoreboards, and acts on nothing. */

#include "manager/pool/totals.h"

#include "manager/pool/generation-count.h"

static uint64_t counter_SUM(uint64_t a, uint64_t b)
{
        return a + b;
}

static uint64_t counter_HIGHEST(uint64_t a, uint64_t b)
{
        return MAX(a, b);
}

void counters_add(Counters *c, const WorkerRecord *record)
{
#define COUNTER(field, counted, sum, status) c->field = counter_##sum(c->field, record->field);
#include "scoreboard/counters.def"
}

void totals_worker_ended(Totals *t, const Worker *worker, const WorkerRecord *record, Recycled why,
                         usec_t now)
{
        assert(why < _RECYCLED_MAX);
        counters_add(&t->past, record);
        t->recycled[why]++;
        if (worker->ready > 0)
                t->last_ended = now;
}

void totals_note_active(Totals *t, uint64_t n)
{
        t->max_active = MAX(t->max_active, n);
}

Figures figures_begin(const Totals *t)
{
        return (Figures){ .counters = t->past };
}

void figures_add(Figures *f, const Generation *g)
{
        GenerationCount count = generation_count(g);

        f->idle += count.idle;
        f->active += count.busy;
        f->alive += generation_alive(g);
        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerRecord record;

                if (!worker_lives(&g->workers.slots[i]))
                        continue;
                (void) scoreboard_read(g->workers.board, i, &record);
                counters_add(&f->counters, &record);
        }
}
