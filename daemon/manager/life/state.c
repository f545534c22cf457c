/* SPDX-License-Identifier: MIT */

/*
 * The life of a pool: one enum (POOL_STATE_LIST), one setter, one step function. Handlers elsewhere only
 * record what happened; manager_step() looks at all of it and does what is due, and leaves the earliest
 * deadline on the timer. Sizing itself is policy.c's; how generations end, drain.c's.
 */

#include <time.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/face/control.h"
#include "manager/face/notify.h"
#include "manager/life/drain.h"
#include "manager/life/life.h"
#include "manager/life/policy.h"
#include "manager/life/reap.h"
#include "manager/life/upgrade.h"
#include "manager/pool/enforce.h"
#include "manager/pool/generation-count.h"

/* No worker that survives: after this many in a row the service fails, and systemd's Restart= takes over. */
#define STILLBORN_MAX 20
#define REPLACE_FAILED_MAX 8

/* How often a manager whose template is gone looks whether an upgrade is done. */
#define REPLACE_OTHER_BUILD_USEC USEC_PER_SEC

/* A template that dies younger than this counts as a failure. */
#define TEMPLATE_LIFE_MIN (60 * USEC_PER_SEC)

/* A start that takes longer says what it waits for: systemctl is silent meanwhile. */
#define START_TELL_AFTER (2 * USEC_PER_SEC)

/* An idle worker that was told to end does so within this time, or was busy after all. */
#define HANDOVER_INTERVAL (5 * USEC_PER_MSEC)
#define HANDOVER_MAX USEC_PER_SEC /* or it hangs, and is killed */

/* A batch counts as "a moment ago" for this long. */
#define BURST_USEC (200 * USEC_PER_MSEC)

/* systemd is told this far ahead, this often, that starting or draining goes on. */
#define EXTEND_USEC (30 * USEC_PER_SEC)
#define EXTEND_INTERVAL_USEC (10 * USEC_PER_SEC)

static const char *const state_names[] = {
#define POOL_STATE(name, text) [POOL_##name] = text,
        POOL_STATE_LIST
#undef POOL_STATE
};
static_assert(ELEMENTSOF(state_names) == _POOL_STATE_MAX, "every state has a name");

const char *pool_state_to_string(PoolState state)
{
        return state_names[state];
}

#define TO(state) (1U << POOL_##state)

/* Which states may follow. */
static const unsigned followers[_POOL_STATE_MAX] = {
        [POOL_STARTING] = TO(RUNNING) | TO(DRAINING),
        [POOL_RUNNING] = TO(RELOADING) | TO(DRAINING),
        [POOL_RELOADING] = TO(RUNNING) | TO(DRAINING),
        [POOL_DRAINING] = TO(STOPPING),
};

void manager_set_state(Manager *m, PoolState state)
{
        PoolState before = m->state;

        if (state == before)
                return;
        assert(followers[before] & 1U << state);
        log_debug("Pool %s: %s -> %s.", m->pool, state_names[before], state_names[state]);
        m->state = state;
        notify_state(m, before);
}

/* 100 ms, doubling up to 10 s. */
void manager_hold_spawn(Manager *m, unsigned n_failed)
{
        m->hold_spawn = now_monotonic() +
                        MIN((usec_t) 50 * USEC_PER_MSEC << MIN(n_failed, 8U), 10 * USEC_PER_SEC);
        m->last_batch = 0;
}

/* The end of the pool that is not asked for: systemd restarts it. */
static void give_up(Manager *m, StopReason why)
{
        m->exit_status = EXIT_FAILURE;
        manager_stop(m, why);
}

/* ---- A generation starts ---- */

/* 100 ms after a failure, doubling up to 30 s. */
static usec_t replace_delay(unsigned n_failed)
{
        return n_failed > 0 ? MIN(100 * USEC_PER_MSEC << MIN(n_failed - 1, 9U), 30 * USEC_PER_SEC) : 0;
}

static bool replace_hopeless(const Manager *m)
{
        return m->n_replace_failed >= REPLACE_FAILED_MAX;
}

bool manager_lost_template(const Manager *m)
{
        return m->current && !generation_has_template(m->current) && replace_hopeless(m);
}

/*
 * When the template is tried again. One of another build comes with an upgrade: as soon as that has replaced
 * the manager as well, the next manager has one of its own build; before that it would have none either. Until
 * then it is the same each time, and is said once.
 */
static void replace_failed(Manager *m, const Generation *g)
{
        _cleanup_(freep) char *installed = NULL;

        if (!g->other_build || !m->other_build_told)
                log_error("Pool %s cannot replace its template: %s", m->pool, g->failure);
        m->other_build_told = g->other_build;
        if (g->other_build) {
                m->replace_at = now_monotonic() + REPLACE_OTHER_BUILD_USEC;
                if (upgrade_find_manager(&installed) > 0)
                        give_up(m, STOP_OTHER_BUILD);
                return;
        }
        m->n_replace_failed++;
        m->replace_at = now_monotonic() + replace_delay(m->n_replace_failed);
}

static void start_failed(Manager *m)
{
        Generation *g = m->next;

        m->next = NULL;
        if (m->state == POOL_STARTING) {
                (void) log_record(LOG_ERR, 0, MESSAGE_ID(START_FAILED), NULL, "Pool %s does not start: %s",
                                  m->pool, g->failure);
                give_up(m, STOP_START_FAILED);
        } else if (m->reason == RELOAD_REQUESTED) {
                (void) log_record(LOG_ERR, 0, MESSAGE_ID(RELOAD_FAILED),
                                  (LogField[]){ { "PHP_GENERATION", m->current->id_text }, {} },
                                  "Reload of pool %s failed, generation %s goes on: %s", m->pool,
                                  m->current->id_text, g->failure);
        } else
                replace_failed(m, g);

        control_reload_done(m->control, g->failure);

        /* What there is of it goes the way of every old generation. */
        (void) generation_kill(g, KILL_START_FAILED);
        drain_retire(m, g, KILL_START_FAILED, 0);
        manager_changed(m); /* if it is dead already, nothing else makes us free it */

        if (m->state == POOL_RELOADING)
                manager_set_state(m, POOL_RUNNING);
}

static void log_take_over(const Manager *m, const Generation *g)
{
        LogField fields[] = { { "PHP_GENERATION", g->id_text }, { "PHP_VERSION", g->php_version }, {} };

        if (m->state == POOL_STARTING)
                (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(STARTED), fields,
                                  "Pool %s is ready: PHP %s, pm %s, at most %llu workers.", m->pool,
                                  g->php_version, pm_mode_to_string(g->config->pm_mode),
                                  (unsigned long long) g->config->pm_max_children);
        else
                (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(RELOADED), fields,
                                  "Pool %s: generation %s took over, PHP %s%s.", m->pool, g->id_text,
                                  g->php_version,
                                  m->reason == RELOAD_REPLACE ? ", with the same settings" : "");
}

static void take_over(Manager *m)
{
        Generation *old = m->current, *new = m->next;

        m->current = new;
        m->next = NULL;
        if (m->reason == RELOAD_REQUESTED)
                m->n_replaced = 0;
        m->n_replace_failed = 0;
        m->replace_at = 0;
        m->other_build_told = false;
        m->hold_spawn = 0;
        crashes_reset(&m->deaths.crashes);
        saturation_reset(&m->saturation);
        log_set_max_level(new->config->log_level);
        if (new->complaint[0])
                log_warning("Pool %s serves all the same, with generation %s: %s", m->pool, new->id_text,
                            new->complaint);
        if (!new->has_ini && (!old || old->has_ini))
                log_warning("Pool %s: php.ini_scan_dir: there is no *.ini in %s, so PHP has no extensions of "
                            "it.",
                            m->pool, new->config->php_ini_scan_dir);

        if (old) {
                usec_t drain = old->config->reload_drain_timeout;

                drain_retire(m, old, KILL_RELOAD_DRAIN, drain > 0 ? usec_add(now_monotonic(), drain) : 0);
        }

        log_take_over(m, new);
}

/* The new generation serves. Who waits for the reload is told so when the old one takes nothing any more. */
static void step_taken_over(Manager *m, usec_t now, usec_t *earliest)
{
        for (Generation *old = m->retired; old; old = old->older)
                if (generation_accepts(old)) {
                        if (now >= old->retired_at + HANDOVER_MAX)
                                generation_kill_accepting(old);
                        earlier(earliest, now + HANDOVER_INTERVAL);
                        return;
                }
        manager_set_state(m, POOL_RUNNING);
        control_reload_done(m->control, NULL);
}

/* One worker beyond the limit is for it, unless an earlier reload has that, and its requests still run. */
static bool room_for_next(const Manager *m)
{
        uint64_t limit = m->next->config->pm_max_children;
        size_t alive = 0;

        if (m->current) {
                alive = generation_alive(m->current);
                limit = MAX(limit, m->current->config->pm_max_children);
        }
        for (const Generation *old = m->retired; old; old = old->older)
                alive += generation_alive(old);
        return alive <= limit;
}

/* ---- A start that takes its time ---- */

static const char *start_stage(const Generation *g)
{
        if (!generation_has_template(g))
                return "PHP to start, with its extensions, opcache.preload and reload.warmup";
        return g->state != GENERATION_STARTING ? "its first worker to be ready"
                                : "room for its first worker, beside requests of earlier generations";
}

void manager_start_waits_for(const Manager *m, char text[START_TEXT_MAX])
{
        time_t until;
        struct tm tm;
        size_t n;

        text[0] = 0;
        if (!m->next || !m->start_told)
                return;
        until = (time_t) ((now_realtime() + usec_sub(m->next->deadline, now_monotonic())) / USEC_PER_SEC);
        n = (size_t) snprintf(text, START_TEXT_MAX, "generation %s waits for %s, until ", m->next->id_text,
                              start_stage(m->next));
        if (n < START_TEXT_MAX && localtime_r(&until, &tm))
                (void) strftime(text + n, START_TEXT_MAX - n, "%T", &tm);
}

/* Once for each start. */
static void tell_start(Manager *m, usec_t now, usec_t *earliest)
{
        usec_t due = usec_add(m->next->started, START_TELL_AFTER);
        char text[START_TEXT_MAX];

        if (m->start_told)
                return;
        earlier(earliest, due);
        if (now < due)
                return;
        m->start_told = true;
        manager_start_waits_for(m, text);
        (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(START_WAITS),
                          (LogField[]){ { "PHP_GENERATION", m->next->id_text }, {} }, "Pool %s: %s.",
                          m->pool, text);
}

/* The same directory has become empty, as Debian's for PHP-FPM does when the package of that is removed. */
static bool lost_extensions(const Generation *old, const Generation *new)
{
        return old->has_ini && !new->has_ini &&
               streq(old->config->php_ini_scan_dir, new->config->php_ini_scan_dir);
}

static void step_next(Manager *m, usec_t now, usec_t *earliest)
{
        Generation *g = m->next;

        /*
         * PHP starts without an extension that it cannot load, and so does a pool, also when its warm-up
         * failed. But one that serves has more to lose than to win by a reload to such a generation.
         */
        if (m->state == POOL_RELOADING && m->reason == RELOAD_REQUESTED && g->complaint[0])
                generation_fail(g, "%s", g->complaint);
        if (m->state == POOL_RELOADING && m->reason == RELOAD_REQUESTED && lost_extensions(m->current, g))
                generation_fail(g,
                                "php.ini_scan_dir: there is no *.ini in %s any more, so PHP would have no "
                                "extensions of it; install again what was removed, or name another directory, "
                                "and another php.ini with it.",
                                g->config->php_ini_scan_dir);
        if (g->failure) {
                start_failed(m);
                return;
        }
        if (generation_is_ready(g)) {
                take_over(m);
                return;
        }
        if (generation_has_template(g) && g->state == GENERATION_STARTING && room_for_next(m)) {
                int r;

                r = generation_spawn(g, 1);
                if (r < 0)
                        generation_fail(g, "its first worker could not be ordered: %s", strerror(-r));
        } else if (g->state == GENERATION_ORDERED && generation_alive(g) == 0 && g->n_stillborn > 0)
                generation_fail(g, "its first worker could not be forked");
        else if (now >= g->deadline)
                generation_fail(g, "%s within reload.start_timeout",
                                generation_has_template(g) && g->state == GENERATION_STARTING
                                                ? "there was no room for its first worker beside requests "
                                                  "of "
                                                  "earlier generations"
                                                : "PHP was not ready");
        else
                tell_start(m, now, earliest);

        earlier(earliest, g->deadline);
        if (g->failure)
                manager_changed(m);
}

/* ---- The current generation ---- */

void manager_watch_sockets(Manager *m, bool watch)
{
        for (size_t i = 0; i < m->listen.n; i++)
                (void) sd_event_source_set_enabled(m->listen_sources[i],
                                                   watch ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

/* Whether the pool is full and anybody waits for it, which is looked at where it is full only. */
static SaturationStep note_saturation(Manager *m, const Generation *g, const PoolView *v, bool reached,
                                      usec_t now)
{
        SaturationView view = {
                .reached = reached,
                .idle = v->idle,
                .waiting = reached && v->idle == 0 && queue_waiting(m->queue),
                .woken = v->demand,
                .now = now,
        };
        SaturationStep step = saturation_note(&m->saturation, &view);

        if (step.tell)
                (void) log_record(LOG_WARNING, 0, MESSAGE_ID(MAX_CHILDREN), NULL,
                                  "Pool %s has reached pm.max_children = %llu and connections wait, "
                                  "consider raising it.",
                                  m->pool, (unsigned long long) g->config->pm_max_children);
        return step;
}

static PoolView pool_view(Manager *m, const Generation *g, usec_t now)
{
        GenerationCount count = generation_count(g);
        PoolView view = {
                .idle = count.idle,
                .busy = count.busy,
                .starting = count.starting,
                .old = count.retiring,
                .expired = count.expired,
                .expiry = count.expiry,
                .last = now < m->last_spawn + BURST_USEC ? m->last_batch : 0,
                .sized = g->sized,
                .demand = m->demand || parking_waiting(m->parking),
                .tick = m->tick,
        };

        for (const Generation *old = m->retired; old; old = old->older)
                view.old += generation_alive(old);
        totals_note_active(&m->totals, count.busy);
        m->demand = m->tick = false;
        return view;
}

static void spawn(Manager *m, Generation *g, size_t n, usec_t now)
{
        size_t allowed;
        usec_t again;
        int r;

        allowed = respawn_take(&m->deaths.respawn, now, g->config->pm_max_spawn_rate, n, &again);
        if (allowed < n)
                m->hold_spawn = again;
        if (allowed == 0)
                return;

        r = generation_spawn(g, allowed);
        if (r < 0) {
                (void) log_warning_errno(r, "Failed to order %zu workers, trying again: %m", allowed);
                g->n_stillborn++;
                manager_hold_spawn(m, g->n_stillborn);
                return;
        }
        m->last_spawn = now;
        m->last_batch = (size_t) r;
}

/* A tick that comes earlier stays where it is: steps in between must not put it off for ever. */
static void schedule_tick(Manager *m, usec_t now, usec_t again)
{
        int enabled = SD_EVENT_OFF;
        usec_t coming = 0;

        (void) sd_event_source_get_enabled(m->tick_source, &enabled);
        (void) sd_event_source_get_time(m->tick_source, &coming);
        if (again > 0 && (enabled == SD_EVENT_OFF || now + again < coming))
                (void) sd_event_source_set_time(m->tick_source, now + again);
        (void) sd_event_source_set_enabled(m->tick_source, again > 0 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

static void step_sizing(Manager *m, usec_t now, usec_t *earliest)
{
        Generation *g = m->current;
        PoolView view = pool_view(m, g, now);
        SaturationStep full;
        PoolStep step;
        size_t idle;

        view.leaving = idle_is_due(m, &view, now, earliest);
        if (view.leaving && idle_may_leave(m, &view, now, earliest)) {
                manager_stop(m, STOP_IDLE);
                return;
        }

        step = pool_decide(g->config, &view);
        full = note_saturation(m, g, &view, step.saturated, now);
        step.least = MAX(step.least, full.least);
        earlier(earliest, full.again);
        workers_retire_idle(&g->workers, step.retire);

        if (step.spawn > 0 && now >= m->hold_spawn)
                spawn(m, g, step.spawn, now);
        if (step.spawn > 0 && now < m->hold_spawn) {
                m->demand = view.demand; /* also what could not be ordered just now */
                earlier(earliest, m->hold_spawn);
        } else if (!step.more)
                g->sized = true;

        manager_watch_sockets(m, step.watch || full.watch);
        schedule_tick(m, now, step.again);

        scoreboard_arm(g->workers.board, step.least, step.surplus);
        idle = generation_count(g).idle;
        if ((idle < view.idle && idle < step.least) ||
            (idle > view.idle && step.surplus > 0 && idle >= step.surplus))
                manager_changed(m); /* it left the bounds before the board was armed: look again */
}

/* Starts PHP anew with the same settings. */
static void replace_current(Manager *m)
{
        Config *config;
        int r;

        m->reason = RELOAD_REPLACE;
        r = config_unseal(m->current->settings_fd, &config);
        if (r >= 0)
                r = manager_start_generation(m, config);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to start a new template, trying again: %m");
                m->n_replace_failed++;
                m->replace_at = now_monotonic() + replace_delay(m->n_replace_failed);
                manager_changed(m); /* for the timer */
                return;
        }
        manager_set_state(m, POOL_RELOADING);
}

/*
 * The template is gone or of no more use: at once, unless it did not live long, as the ones before it
 * perhaps.
 */
static void schedule_replacement(Manager *m, const Generation *g, usec_t now)
{
        if (usec_sub(now, g->started) >= TEMPLATE_LIFE_MIN)
                m->n_replaced = 0;
        m->replace_at = now + replace_delay(m->n_replaced++);
}

static void step_current(Manager *m, usec_t now, usec_t *earliest)
{
        Generation *g = m->current;

        if (g->fork_failed) {
                g->fork_failed = false;
                manager_hold_spawn(m, g->n_stillborn);
        }
        if (g->n_stillborn >= STILLBORN_MAX && generation_alive(g) == 0) {
                (void) log_record(LOG_ERR, 0, MESSAGE_ID(RESPAWN_LIMIT), NULL,
                                  "Pool %s gives up: %u workers in a row did not survive their start.",
                                  m->pool, g->n_stillborn);
                give_up(m, STOP_RESPAWN_LIMIT);
                return;
        }

        if (generation_has_template(g))
                step_sizing(m, now, earliest);
        earlier(earliest, generation_check_starts(g, now));
        if (m->state != POOL_RUNNING || (generation_can_fork(g) && g->state != GENERATION_SUSPECT))
                return;

        if (m->replace_at == 0)
                schedule_replacement(m, g, now);
        if (replace_hopeless(m) && generation_alive(g) == 0 && !generation_can_fork(g))
                give_up(m, STOP_NO_TEMPLATE);
        else if (now >= m->replace_at)
                replace_current(m);
        else
                earlier(earliest, m->replace_at);
}

/* ---- All of it ---- */

static void step_limits(Manager *m)
{
        FOREACH_GENERATION(g, m)
                if (g->limits_due) {
                        g->limits_due = false;
                        m->totals.slow_requests += enforce_limits(g);
                }
}

void manager_step(Manager *m)
{
        usec_t now = now_monotonic(), earliest = USEC_INFINITY;
        bool waiting;

        if (m->current)
                generation_look(m->current);
        if (m->next)
                generation_look(m->next);

        step_limits(m);
        drain_step(m, now, &earliest);
        if (m->next)
                step_next(m, now, &earliest);
        if (m->current)
                step_current(m, now, &earliest);
        if ((m->state == POOL_STARTING || m->state == POOL_RELOADING) && m->current && !m->next)
                step_taken_over(m, now, &earliest);
        if (m->state >= POOL_DRAINING)
                drain_end(m);
        if (m->state == POOL_RUNNING && m->reload_again) {
                m->reload_again = false;
                manager_reload(m);
        }

        waiting = m->state == POOL_STARTING || m->state == POOL_DRAINING ||
                  (m->state == POOL_RELOADING && m->reason == RELOAD_REQUESTED);
        if (waiting) {
                notify_extend(EXTEND_USEC);
                earlier(&earliest, now + EXTEND_INTERVAL_USEC);
        }

        earlier(&earliest, notify_refresh(m, now));
        earlier(&earliest, reap_report(m, now));

        (void) sd_event_source_set_time(m->timer_source, earliest);
        (void) sd_event_source_set_enabled(m->timer_source,
                                           earliest < USEC_INFINITY ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}
