/* SPDX-License-Identifier: MIT */

/*
 * Finds whether the pool can serve: see verdict.h. It gathers what decide/health.c judges by, and says in
 * the journal when the verdict has changed. watchdog.c and notify.c tell systemd.
 */

#include "manager/life/verdict.h"

#include "base/log.h"
#include "base/messages.h"
#include "manager/decide/health.h"
#include "manager/pool/generation-count.h"

/*
 * Whether a client took or sent anything since the last look. Workers that came and went change the sum as
 * well, and that is progress, too.
 */
static bool got_on(Pool *p)
{
        uint64_t progress = 0, before = p->health.progress;

        FOREACH_GENERATION(g, p)
                progress += generation_progress(g);
        p->health.progress = progress;
        return progress != before;
}

static HealthView health_view(const Pool *p, usec_t now)
{
        const Generation *current = p->current;
        GenerationCount count = {};
        HealthView view = {
                .serving = current && (p->life.state == POOL_RUNNING || p->life.state == POOL_RELOADING),
                .now = now,
                .progress = MAX(p->health.well_at, p->totals.last_ended),
        };

        if (!view.serving)
                return view;

        count = generation_count(current);
        FOREACH_GENERATION(g, p)
                view.progress = MAX(view.progress, generation_last_request(g));

        view.template_up = generation_has_template(current);
        view.replace_given_up = pool_lost_template(p);
        view.coming = count.starting > 0 || p->next;
        view.full = current->n_stillborn > 0 ||
                    count.busy + count.retiring + pool_retired_alive(p) >= current->config->pm_max_children;
        view.idle = count.idle;
        view.queued = queue_waiting(p->queue);
        view.stall = current->config->watchdog_stall;
        return view;
}

static void log_reason(const Pool *p, const char *reason)
{
        LogField fields[] = { { "PHP_GENERATION", p->current ? p->current->id_text : NULL }, {} };

        if (reason)
                (void) log_record(LOG_ERR, 0, MESSAGE_ID(PINGS_WITHHELD), fields,
                                  "Pool %s can serve nobody and withholds its watchdog pings: %s.", p->name,
                                  reason);
        else
                (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(PINGS_RESUMED), fields,
                                  "Pool %s serves again and gives watchdog pings again.", p->name);
}

/* Once the pool is to stop, the verdict stays: it may be why. */
void verdict_step(Pool *p, usec_t now)
{
        Health *h = &p->health;
        const char *reason;
        HealthView view;

        if (!h->asked)
                return;
        h->asked = false;
        if (pool_ends(p))
                return;
        view = health_view(p, now);
        if (got_on(p) || !health_saturated(&view))
                h->well_at = view.progress = now;
        h->stalled = health_stalled(&view);
        reason = health_reason(&view);
        if (reason == h->reason)
                return;
        h->reason = reason;
        log_reason(p, reason);
}

StopReason verdict_stop_reason(const Pool *p)
{
        if (!p->health.reason)
                return STOP_ASKED;
        return p->health.stalled ? STOP_STALLED : STOP_WITHHELD;
}
