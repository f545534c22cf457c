/* SPDX-License-Identifier: MIT */

/*
 * One generation of workers: see generation.h. It owns the settings, the template and the workers' slots,
 * and drops them in generation_free(). Its state and its template's change in one function each. Processes
 * are reaped by reap.c, which looks slots up by pid.
 */

#include "manager/pool/generation.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "config/php.h"
#include "config/scan-dir.h"

static_assert(CONFIG_CHILDREN_MAX + GENERATION_SPARE_SLOTS <= SCOREBOARD_SLOTS_MAX,
              "a board for the largest pool");

/* ---- States ---- */

#define TO(state) (1U << GENERATION_##state)
static const unsigned followers[] = {
        [GENERATION_STARTING] = TO(ORDERED) | TO(RETIRED),
        [GENERATION_ORDERED] = TO(READY) | TO(RETIRED),
        [GENERATION_READY] = TO(SUSPECT) | TO(RETIRED),
        [GENERATION_SUSPECT] = TO(RETIRED),
        [GENERATION_RETIRED] = 0,
};
#undef TO
static_assert(ELEMENTSOF(followers) == _GENERATION_STATE_MAX, "every state has followers");

#define TO(state) (1U << TEMPLATE_##state)
static const unsigned template_followers[] = {
        [TEMPLATE_STARTING] = TO(UP) | TO(DEAD),
        [TEMPLATE_UP] = TO(LAME) | TO(DEAD),
        [TEMPLATE_LAME] = TO(DEAD),
        [TEMPLATE_DEAD] = 0,
};
#undef TO
static_assert(ELEMENTSOF(template_followers) == _TEMPLATE_STATE_MAX, "every state has followers");

bool generation_may_follow(GenerationState before, GenerationState after)
{
        assert(before < _GENERATION_STATE_MAX && after < _GENERATION_STATE_MAX);
        return followers[before] & 1U << after;
}

bool template_may_follow(TemplateState before, TemplateState after)
{
        assert(before < _TEMPLATE_STATE_MAX && after < _TEMPLATE_STATE_MAX);
        return template_followers[before] & 1U << after;
}

static void set_state(Generation *g, GenerationState state)
{
        assert(generation_may_follow(g->state, state));
        g->state = state;
}

static void set_template_state(Generation *g, TemplateState state)
{
        assert(template_may_follow(g->template_state, state));
        g->template_state = state;
}

void generation_suspect(Generation *g)
{
        set_state(g, GENERATION_SUSPECT);
}

void generation_look(Generation *g)
{
        if (!workers_look(&g->workers))
                return;
        g->n_stillborn = 0;
        if (g->state == GENERATION_ORDERED)
                set_state(g, GENERATION_READY);
}

/* ---- What the template says ---- */

/* A message's slot counts only if its worker was ordered: a template that runs PHP may lie. */
static bool slot_ordered(const Generation *g, const IpcWorker *w)
{
        return workers_in_state(&g->workers, w->slot, WORKER_ORDERED);
}

static void on_started(Generation *g, const IpcMessage *message)
{
        if (g->template_state == TEMPLATE_STARTING)
                set_template_state(g, TEMPLATE_UP);
        (void) snprintf(g->php_version, sizeof g->php_version, "%s", message->version);
        (void) snprintf(g->complaint, sizeof g->complaint, "%s", message->text);
}

static void on_spawned(Generation *g, const IpcMessage *message)
{
        for (uint32_t i = 0; i < message->n; i++) {
                const IpcWorker *w = &message->workers[i];

                if (slot_ordered(g, w) && w->pid > 1)
                        workers_forked(&g->workers, w->slot, w->pid, g->state == GENERATION_RETIRED);
        }
}

static void on_spawn_failed(Generation *g, const IpcMessage *message)
{
        (void) log_warning_errno(message->error, "Failed to fork %u of the workers, trying again: %m",
                                 message->n);
        g->n_stillborn++;
        g->fork_failed = true;

        for (uint32_t i = 0; i < message->n; i++) {
                size_t slot = message->workers[i].slot;

                if (!slot_ordered(g, &message->workers[i]))
                        continue;
                if (message->error != ECHILD) {
                        workers_bury(&g->workers, slot);
                        continue;
                }
                workers_lose(&g->workers, slot);
                if (g->template_state == TEMPLATE_UP)
                        set_template_state(g, TEMPLATE_LAME);
        }
}

static void on_message(Template *t _unused_, const IpcMessage *message, void *userdata)
{
        Generation *g = userdata;

        switch (message->type) {
        case IPC_STARTED:
                on_started(g, message);
                break;
        case IPC_FAILED:
                generation_fail(g, "%s", message->text);
                break;
        case IPC_SPAWNED:
                on_spawned(g, message);
                break;
        case IPC_SPAWN_FAILED:
                on_spawn_failed(g, message);
                break;
        default:
                return;
        }
        g->owner.on_change(g->owner.userdata);
}

void generation_template_died(Generation *g)
{
        set_template_state(g, TEMPLATE_DEAD);
        template_retire(g->template);
}

/* ---- Start and end ---- */

static int on_limit_timer(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
        Generation *g = userdata;
        uint64_t n;

        if (read(fd, &n, sizeof n) > 0) {
                g->limits_due = true;
                g->owner.on_change(g->owner.userdata);
        }
        return 0;
}

static int watch_limits(Generation *g)
{
        int r;

        g->limit_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (g->limit_timer < 0)
                return -errno;
        r = sd_event_add_io(g->owner.event, &g->limit_source, g->limit_timer, EPOLLIN, on_limit_timer, g);
        if (r < 0)
                return r;
        scoreboard_offer_timer(g->workers.board);
        return sd_event_source_set_description(g->limit_source, "limits");
}

static int start_template(Generation *g, const Inherit *inherit)
{
        TemplateOwner owner = {
                .event = g->owner.event,
                .pool = g->owner.pool,
                .generation = g->id_text,
                .on_message = on_message,
                .userdata = g,
        };
        _cleanup_(freep) char *executable = NULL;
        Inherit complete = *inherit;
        int r;

        complete.limit = g->limit_timer;
        complete.settings = g->settings_fd;
        complete.scoreboard = scoreboard_fd(g->workers.board);
        r = php_worker_path(php_directory(), g->config->php_version, &executable);
        if (r < 0)
                return r;
        return template_start(&owner, executable, &complete, &g->template);
}

int generation_start(const GenerationOwner *owner, uint64_t id, Config *config, const Inherit *inherit,
                     Generation **ret)
{
        _cleanup_(config_freep) Config *owned = config;
        _cleanup_(generation_freep) Generation *g = NULL;
        int r;

        assert(owner->event && owner->pool && owner->on_change);
        assert(config->pm_max_children <= CONFIG_CHILDREN_MAX);

        g = malloc(sizeof *g);
        if (!g)
                return -ENOMEM;
        *g = (Generation){
                .owner = *owner,
                .id = id,
                .config = TAKE_PTR(owned),
                .settings_fd = -EBADF,
                .limit_timer = -EBADF,
                .started = now_monotonic(),
        };
        (void) snprintf(g->id_text, sizeof g->id_text, "%llu", (unsigned long long) id);
        g->deadline = usec_add(g->started, g->config->reload_start_timeout);
        g->has_ini = scan_dir_has_ini(g->config->php_ini_scan_dir);

        r = config_seal(g->config, &g->settings_fd);
        if (r < 0)
                return r;
        r = workers_new(g->config->pm_max_children + GENERATION_SPARE_SLOTS, &g->workers);
        if (r < 0)
                return r;
        r = watch_limits(g);
        if (r < 0)
                return r;
        r = start_template(g, inherit);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(g);
        return 0;
}

void generation_free(Generation *g)
{
        if (!g)
                return;
        sd_event_source_disable_unref(g->limit_source);
        fd_close(g->limit_timer);
        template_free(g->template);
        workers_clear(&g->workers);
        fd_close(g->settings_fd);
        config_free(g->config);
        free(g->failure);
        free(g);
}

void generation_fail(Generation *g, const char *format, ...)
{
        va_list ap;

        if (g->failure)
                return;
        va_start(ap, format);
        if (vasprintf(&g->failure, format, ap) < 0)
                g->failure = strdup("out of memory");
        va_end(ap);
}

/* ---- Orders ---- */

/* Orders one batch, as many as one message holds. */
static int spawn_batch(Generation *g, size_t n)
{
        uint32_t slots[IPC_SPAWN_MAX];
        int fds[IPC_SPAWN_MAX], found, r;

        found = workers_order(&g->workers, n, slots, fds);
        if (found <= 0)
                return found;

        r = template_spawn(g->template, slots, fds, (size_t) found);
        if (r >= 0)
                return found;
        for (int i = 0; i < found; i++)
                workers_bury(&g->workers, slots[i]);
        return r;
}

int generation_spawn(Generation *g, size_t n)
{
        size_t done = 0;

        assert(generation_has_template(g));
        assert(g->state != GENERATION_RETIRED);
        if (g->state == GENERATION_STARTING)
                set_state(g, GENERATION_ORDERED);

        while (done < n) {
                int r;

                r = spawn_batch(g, MIN(n - done, (size_t) IPC_SPAWN_MAX));
                if (r < 0)
                        return done > 0 ? (int) done : r;
                if (r == 0)
                        break;
                done += (size_t) r;
        }
        return (int) done;
}

void generation_retire(Generation *g, KillReason why, usec_t deadline)
{
        assert(why != KILL_NONE && why < _KILL_REASON_MAX);
        template_hear_out(g->template); /* what it said until now still counts */
        set_state(g, GENERATION_RETIRED);
        g->retired_at = now_monotonic();
        g->deadline = deadline;
        g->drain_reason = why;
        workers_retire(&g->workers,
                       why == KILL_STOP_DRAIN || why == KILL_STALL_DRAIN ? IPC_RETIRE_STOP : IPC_RETIRE);
}

/* ---- Processes that are killed ---- */

static void kill_template(Generation *g, KillReason why)
{
        if (g->template_state == TEMPLATE_DEAD || g->template_killed != KILL_NONE)
                return;
        g->template_killed = why;
        (void) kill(template_pid(g->template), SIGKILL);
}

size_t generation_kill(Generation *g, KillReason why)
{
        size_t busy = 0;

        kill_template(g, why);
        for (size_t i = 0; i < g->workers.n; i++) {
                Worker *w = &g->workers.slots[i];
                bool has_request = stage_has_request(scoreboard_stage(g->workers.board, i));

                if (worker_lives(w) && worker_kill(w, why))
                        busy += has_request;
        }
        return busy;
}

/* Kills one worker, and says so. */
static void kill_worker(Worker *w, KillReason why)
{
        if (worker_kill(w, why))
                log_warning("Worker %d is killed: %s.", w->pid, kill_reason_text(why));
}

void generation_kill_accepting(Generation *g)
{
        for (size_t i = 0; i < g->workers.n; i++)
                if (workers_accepts(&g->workers, i))
                        kill_worker(&g->workers.slots[i], KILL_HANDOVER);
}

/* What was ordered has not come to be in time. */
static void kill_late(Generation *g, Worker *w)
{
        if (w->state == WORKER_LIVE)
                kill_worker(w, KILL_NOT_READY);
        else if (generation_has_template(g) && g->template_killed == KILL_NONE) {
                kill_template(g, KILL_NO_ORDER);
                log_warning("The template (pid %d) is killed: %s.", template_pid(g->template),
                            kill_reason_text(g->template_killed));
        }
}

usec_t generation_check_starts(Generation *g, usec_t now)
{
        usec_t limit = g->config->reload_start_timeout, next = 0;

        for (size_t i = 0; i < g->workers.n; i++) {
                Worker *w = &g->workers.slots[i];
                usec_t due = usec_add(w->ordered, limit);

                if (w->killed != KILL_NONE ||
                    (w->state != WORKER_ORDERED && (w->state != WORKER_LIVE || w->ready > 0)))
                        continue;
                if (now >= due)
                        kill_late(g, w);
                else
                        next = next > 0 ? MIN(next, due) : due;
        }
        return next;
}
