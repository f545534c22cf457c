/* SPDX-License-Identifier: MIT */

/*
 * How generations start and take over: see starting.h. It starts templates, says in the journal how the
 * start went, and notes in the book what became of a reload. It never waits: what is not there yet is left
 * to a later step.
 */

#include "manager/life/starting.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/decide/start.h"
#include "manager/life/draining.h"
#include "manager/life/upgrade.h"
#include "manager/pool/generation-count.h"
#include "poolfile/parse.h"

/* ---- A generation is begun ---- */

/* A list of clients that has no effect is worth a word to the operator. */
static void look_at_allowed_clients(const Pool *p, const Config *config)
{
        if (*config->security_allowed_clients && !p->listen.over_ip)
                (void) log_warning(
                        "security.allowed_clients has no effect: the pool listens on Unix sockets only, and "
                        "who may use those is said by SocketUser=, SocketGroup= and SocketMode= of the "
                        "socket unit.");
}

static void on_generation_change(void *userdata)
{
        pool_changed(userdata);
}

int starting_begin(Pool *p, ReloadReason reason, Config *config)
{
        Inherit inherit = {
                .channel = -EBADF,
                .handoff = parking_worker_fd(p->parking),
                .wake = p->wake_fd,
                .error = p->error_fd,
                .n_listen = p->listen.n,
                .descriptor_limit = p->descriptor_limit,
        };
        GenerationOwner owner = {
                .event = p->event,
                .pool = p->name,
                .on_change = on_generation_change,
                .userdata = p,
        };
        _cleanup_(freep) char *installed = NULL;
        int r;

        assert(!p->next);
        p->life.reason = reason;
        /* A reload is for what is installed now. A template that died is replaced as it was. */
        if (p->current && reason == RELOAD_REQUESTED && upgrade_find_manager(&installed) > 0)
                inherit.through = installed;
        look_at_allowed_clients(p, config);
        memcpy(inherit.listen, p->listen.sockets, p->listen.n * sizeof *p->listen.sockets);
        r = generation_start(&owner, ++p->last_generation, config, &inherit, &p->next);
        if (r >= 0)
                scoreboard_set_watched(p->next->workers.board, p->watched);
        p->life.start_told = false;
        return r;
}

/* ---- Reloads ---- */

static void reload_failed(Pool *p, const char *how, const char *why)
{
        (void) log_record(LOG_ERR, 0, MESSAGE_ID(RELOAD_FAILED),
                          (LogField[]){ { "PHP_GENERATION", p->current->id_text }, {} },
                          "Reload of pool %s %s, generation %s goes on: %s", p->name, how,
                          p->current->id_text, why);
        pool_reload_ended(p, why);
}

void starting_reload(Pool *p)
{
        ConfigErrors errors = {};
        Config *config = NULL;
        int r;

        assert(p->life.state == POOL_RUNNING);
        p->reloads.taken = p->reloads.asked;

        r = config_parse_pool(p->config_path, &config, &errors);
        if (r >= 0)
                r = starting_begin(p, RELOAD_REQUESTED, config);
        if (r >= 0)
                pool_set_state(p, POOL_RELOADING);
        else {
                _cleanup_(freep) char *why = config_errors_format(&errors);

                reload_failed(p, "refused", why ?: strerror(-r));
        }
        config_errors_clear(&errors);
}

/* ---- The start of a generation ends ---- */

/*
 * A template of another build comes with an upgrade. As soon as that has replaced the manager's program as
 * well, the next manager has a template of its own build; before that, it would have none either.
 */
static void replacement_did_not_start(Pool *p, const Generation *g, usec_t now)
{
        _cleanup_(freep) char *installed = NULL;

        if (!g->other_build) {
                log_error("Pool %s cannot replace its template: %s", p->name, g->failure);
                replacement_failed(&p->replacement, now);
                return;
        }
        if (replacement_other_build(&p->replacement, now))
                log_error("Pool %s cannot replace its template: %s", p->name, g->failure);
        if (upgrade_find_manager(&installed) > 0)
                pool_ask_stop(p, STOP_OTHER_BUILD);
}

static void start_failed(Pool *p, usec_t now)
{
        Generation *g = p->next;

        p->next = NULL;
        if (p->life.state == POOL_STARTING) {
                (void) log_record(LOG_ERR, 0, MESSAGE_ID(START_FAILED), NULL, "Pool %s does not start: %s",
                                  p->name, g->failure);
                pool_ask_stop(p, STOP_START_FAILED);
        } else {
                if (p->life.reason == RELOAD_REQUESTED)
                        reload_failed(p, "failed", g->failure);
                else
                        replacement_did_not_start(p, g, now);
                pool_set_state(p, POOL_RUNNING);
        }

        /* Its processes end as those of every retired generation do. */
        (void) generation_kill(g, KILL_START_FAILED);
        draining_retire(p, g, KILL_START_FAILED, 0);
        pool_changed(p); /* if it is dead already, nothing else makes us free it */
}

static void log_take_over(const Pool *p, const Generation *g)
{
        LogField fields[] = { { "PHP_GENERATION", g->id_text }, { "PHP_VERSION", g->php_version }, {} };

        if (p->life.state == POOL_STARTING)
                (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(STARTED), fields,
                                  "Pool %s is ready: PHP %s, pm %s, at most %llu workers.", p->name,
                                  g->php_version, pm_mode_to_string(g->config->pm_mode),
                                  (unsigned long long) g->config->pm_max_children);
        else
                (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(RELOADED), fields,
                                  "Pool %s: generation %s took over, PHP %s%s.", p->name, g->id_text,
                                  g->php_version,
                                  p->life.reason == RELOAD_REPLACE ? ", with the same settings" : "");
}

static void log_complaints(const Pool *p, const Generation *old, const Generation *new)
{
        if (new->complaint[0])
                log_warning("Pool %s serves all the same, with generation %s: %s", p->name, new->id_text,
                            new->complaint);
        if (!new->has_ini && (!old || old->has_ini))
                log_warning("Pool %s: php.ini_scan_dir: there is no *.ini in %s, so PHP has no extensions "
                            "of it.",
                            p->name, new->config->php_ini_scan_dir);
}

static void take_over(Pool *p)
{
        Generation *old = p->current, *new = p->next;

        p->current = new;
        p->next = NULL;
        replacement_done(&p->replacement, p->life.reason == RELOAD_REQUESTED);
        p->sizing.hold_spawn = 0;
        crashes_reset(&p->deaths.crashes);
        saturation_reset(&p->sizing.saturation);
        log_set_max_level(new->config->log_level);
        log_complaints(p, old, new);

        if (old) {
                usec_t drain = old->config->reload_drain_timeout;

                draining_retire(p, old, KILL_RELOAD_DRAIN,
                                drain > 0 ? usec_add(now_monotonic(), drain) : 0);
        }

        log_take_over(p, new);
}

void starting_step_handover(Pool *p, usec_t now, usec_t *earliest)
{
        for (Generation *old = p->retired; old; old = old->older) {
                HandoverView view = {
                        .accepts = generation_accepts(old),
                        .retired = old->retired_at,
                        .now = now,
                };
                HandoverStep step = handover_decide(&view);

                if (step == HANDOVER_DONE)
                        continue;
                if (step == HANDOVER_KILL)
                        generation_kill_accepting(old);
                earlier(earliest, now + HANDOVER_INTERVAL);
                return;
        }
        if (p->life.state == POOL_RELOADING && p->life.reason == RELOAD_REQUESTED)
                pool_reload_ended(p, NULL);
        pool_set_state(p, POOL_RUNNING);
}

/* ---- The step ---- */

/* It may have one worker beyond the limit, unless requests of an earlier reload still use that place. */
static bool room_for_next(const Pool *p)
{
        uint64_t limit = p->next->config->pm_max_children;
        size_t alive = pool_retired_alive(p);

        if (p->current) {
                alive += generation_alive(p->current);
                limit = MAX(limit, p->current->config->pm_max_children);
        }
        return alive <= limit;
}

/* The same directory has become empty, as Debian's for PHP-FPM does when the package of that is removed. */
static bool lost_extensions(const Generation *old, const Generation *new)
{
        return old && old->has_ini && !new->has_ini &&
               streq(old->config->php_ini_scan_dir, new->config->php_ini_scan_dir);
}

static StartView start_view(const Pool *p, usec_t now)
{
        const Generation *g = p->next;

        return (StartView){
                .failed = g->failure,
                .reload = p->life.state == POOL_RELOADING && p->life.reason == RELOAD_REQUESTED,
                .complains = g->complaint[0],
                .lost_extensions = lost_extensions(p->current, g),
                .template_up = generation_has_template(g),
                .ordered = g->state != GENERATION_STARTING,
                .stillborn = generation_alive(g) == 0 && g->n_stillborn > 0,
                .ready = generation_is_ready(g),
                .room = room_for_next(p),
                .told = p->life.start_told,
                .now = now,
                .started = g->started,
                .deadline = g->deadline,
        };
}

static const char *start_stage(const Generation *g)
{
        if (!generation_has_template(g))
                return "PHP to start, with its extensions, opcache.preload and reload.warmup";
        return g->state != GENERATION_STARTING
                               ? "its first worker to be ready"
                               : "room for its first worker, beside requests of earlier generations";
}

void starting_waits_for(const Pool *p, char text[START_TEXT_MAX])
{
        time_t until;
        struct tm tm;
        size_t n;

        text[0] = 0;
        if (!p->next || !p->life.start_told)
                return;
        until = (time_t) ((now_realtime() + usec_sub(p->next->deadline, now_monotonic())) / USEC_PER_SEC);
        n = (size_t) snprintf(text, START_TEXT_MAX, "generation %s waits for %s, until ", p->next->id_text,
                              start_stage(p->next));
        if (n < START_TEXT_MAX && localtime_r(&until, &tm))
                (void) strftime(text + n, START_TEXT_MAX - n, "%T", &tm);
}

/* Once for each start. */
static void tell_start(Pool *p)
{
        char text[START_TEXT_MAX];

        p->life.start_told = true;
        starting_waits_for(p, text);
        (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(START_WAITS),
                          (LogField[]){ { "PHP_GENERATION", p->next->id_text }, {} }, "Pool %s: %s.",
                          p->name, text);
}

static void order_first(Generation *g)
{
        int r;

        r = generation_spawn(g, 1);
        if (r < 0)
                generation_fail(g, "its first worker could not be ordered: %s", strerror(-r));
}

/* Why it fails. */
static void fail(Generation *g, StartStep step)
{
        static const char *const texts[_START_STEP_MAX] = {
                [START_STILLBORN] = "its first worker could not be forked",
                [START_NO_ROOM] = "there was no room for its first worker beside requests of earlier "
                                  "generations within reload.start_timeout",
                [START_LATE] = "PHP was not ready within reload.start_timeout",
        };

        if (step == START_COMPLAINS)
                generation_fail(g, "%s", g->complaint);
        else if (step == START_EXTENSIONS)
                generation_fail(g,
                                "php.ini_scan_dir: there is no *.ini in %s any more, so PHP would have no "
                                "extensions of it; install again what was removed, or name another "
                                "directory, and another php.ini with it.",
                                g->config->php_ini_scan_dir);
        else
                generation_fail(g, "%s", texts[step]);
}

void starting_step(Pool *p, usec_t now, usec_t *earliest)
{
        Generation *g = p->next;
        StartView view = start_view(p, now);
        StartStep step = start_decide(&view);

        if (step >= START_FAILED) {
                if (step > START_FAILED)
                        fail(g, step);
                start_failed(p, now);
                return;
        }
        if (step == START_TAKE_OVER) {
                take_over(p);
                return;
        }
        if (step == START_ORDER)
                order_first(g);
        else if (step == START_TELL)
                tell_start(p);

        earlier(earliest, g->deadline);
        if (!p->life.start_told)
                earlier(earliest, usec_add(g->started, START_TELL_AFTER));
        if (g->failure)
                pool_changed(p);
}
