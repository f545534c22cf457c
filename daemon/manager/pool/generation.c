/* SPDX-License-Identifier: MIT */

/*
 * One generation of workers: see generation.h. It owns the template, the board and the workers' eventfds,
 * and drops them in generation_free(). Processes are reaped by reap.c, which looks slots up by pid.
 */

#include "manager/pool/generation.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "config/php.h"
#include "config/scan-dir.h"

static_assert(CONFIG_CHILDREN_MAX + GENERATION_SPARE_SLOTS <= SCOREBOARD_SLOTS_MAX,
               "a board for the largest pool");

/* Takes a message's slot only if it names a worker in that state: a template that runs PHP may lie. */
static Worker *message_worker(Generation *g, const IpcWorker *w, WorkerState state)
{
        if (w->slot >= g->n_workers || g->workers[w->slot].state != state)
                return NULL;
        return &g->workers[w->slot];
}

static void on_spawned(Generation *g, const IpcMessage *message)
{
        for (uint32_t i = 0; i < message->n; i++) {
                Worker *w = message_worker(g, &message->workers[i], WORKER_ORDERED);

                if (!w || message->workers[i].pid <= 1)
                        continue;
                w->pid = message->workers[i].pid;
                w->forked = now_monotonic();
                w->state = g->retired ? WORKER_RETIRING : WORKER_LIVE; /* the order to end waits for it */
        }
}

static void on_spawn_failed(Generation *g, const IpcMessage *message)
{
        (void) log_warning_errno(message->error, "Failed to fork %u of the workers, trying again: %m",
                                 message->n);
        g->n_stillborn++;
        g->fork_failed = true;

        for (uint32_t i = 0; i < message->n; i++) {
                Worker *w = message_worker(g, &message->workers[i], WORKER_ORDERED);

                if (!w)
                        continue;
                if (message->error == ECHILD) {
                        (void) eventfd_write(w->retire_fd, IPC_RETIRE);
                        w->state = WORKER_LOST;
                        g->lost_workers = true;
                } else
                        generation_bury(g, message->workers[i].slot);
        }
}

static void on_message(Template *t _unused_, const IpcMessage *message, void *userdata)
{
        Generation *g = userdata;

        switch (message->type) {
        case IPC_STARTED:
                if (g->template_state == TEMPLATE_STARTING)
                        g->template_state = TEMPLATE_UP;
                (void) snprintf(g->php_version, sizeof g->php_version, "%s", message->version);
                (void) snprintf(g->complaint, sizeof g->complaint, "%s", message->text);
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
        g->on_change(g->userdata);
}

static int on_limit_timer(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
        Generation *g = userdata;
        uint64_t n;

        if (read(fd, &n, sizeof n) > 0) {
                g->limits_due = true;
                g->on_change(g->userdata);
        }
        return 0;
}

static int watch_limits(Generation *g, sd_event *event)
{
        int r;

        g->limit_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (g->limit_timer < 0)
                return -errno;
        r = sd_event_add_io(event, &g->limit_source, g->limit_timer, EPOLLIN, on_limit_timer, g);
        if (r < 0)
                return r;
        scoreboard_offer_timer(g->board);
        return sd_event_source_set_description(g->limit_source, "limits");
}

int generation_start(sd_event *event, const char *pool, uint64_t id, Config *config, const Inherit *inherit,
                     void (*on_change)(void *userdata), void *userdata, Generation **ret)
{
        _cleanup_(config_freep) Config *owned = config;
        _cleanup_(generation_freep) Generation *g = NULL;
        _cleanup_(freep) char *executable = NULL;
        Inherit complete = *inherit;
        int r;

        g = malloc(sizeof *g);
        if (!g)
                return -ENOMEM;
        *g = (Generation) {
                .id = id,
                .config = TAKE_PTR(owned),
                .settings_fd = -EBADF,
                .limit_timer = -EBADF,
                .started = now_monotonic(),
                .on_change = on_change,
                .userdata = userdata,
        };
        (void) snprintf(g->id_text, sizeof g->id_text, "%llu", (unsigned long long) id);
        g->deadline = usec_add(g->started, g->config->reload_start_timeout);
        g->has_ini = scan_dir_has_ini(g->config->php_ini_scan_dir);

        r = config_seal(g->config, &g->settings_fd);
        if (r < 0)
                return r;

        r = scoreboard_new(g->config->pm_max_children + GENERATION_SPARE_SLOTS, &g->board);
        if (r < 0)
                return r;

        g->workers = calloc(scoreboard_size(g->board), sizeof *g->workers);
        if (!g->workers)
                return -ENOMEM;
        g->n_workers = scoreboard_size(g->board);
        for (size_t i = 0; i < g->n_workers; i++)
                g->workers[i].retire_fd = -EBADF;

        r = watch_limits(g, event);
        if (r < 0)
                return r;

        complete.limit = g->limit_timer;
        complete.settings = g->settings_fd;
        complete.scoreboard = scoreboard_fd(g->board);
        r = php_worker_path(php_directory(), g->config->php_version, &executable);
        if (r < 0)
                return r;
        r = template_start(event, pool, executable, g->id_text, &complete, on_message, g, &g->template);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(g);
        return 0;
}

void generation_free(Generation *g)
{
        if (!g)
                return;
        assert(generation_alive(g) == 0);
        sd_event_source_disable_unref(g->limit_source);
        fd_close(g->limit_timer);
        template_free(g->template);
        for (size_t i = 0; i < g->n_workers; i++)
                fd_close(g->workers[i].retire_fd);
        free(g->workers);
        scoreboard_free(g->board);
        fd_close(g->settings_fd);
        config_free(g->config);
        free(g->failure);
        free(g);
}

/* Orders one batch, as many as one message holds. */
static int spawn_batch(Generation *g, size_t n)
{
        uint32_t slots[IPC_SPAWN_MAX];
        int fds[IPC_SPAWN_MAX], r = 0;
        size_t found = 0;

        for (size_t i = 0; i < g->n_workers && found < n; i++) {
                Worker *w = &g->workers[i];

                if (w->state != WORKER_NONE)
                        continue;
                w->retire_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                if (w->retire_fd < 0) {
                        r = -errno;
                        break;
                }
                w->state = WORKER_ORDERED;
                w->started = now_realtime();
                w->ordered = now_monotonic();
                scoreboard_reserve(g->board, i);
                slots[found] = (uint32_t) i;
                fds[found++] = w->retire_fd;
        }

        if (found > 0)
                r = template_spawn(g->template, slots, fds, found);
        if (found == 0 || r < 0) {
                for (size_t i = 0; i < found; i++)
                        generation_bury(g, slots[i]);
                return r;
        }
        return (int) found;
}

int generation_spawn(Generation *g, size_t n)
{
        size_t done = 0;

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

/* Tells a worker to end after its request. */
static void retire_worker(Generation *g, size_t slot, eventfd_t order)
{
        Worker *w = &g->workers[slot];

        if (w->state != WORKER_LIVE)
                return;
        (void) eventfd_write(w->retire_fd, order);
        w->state = WORKER_RETIRING;
}

/* Since when an idle worker has been idle, CLOCK_MONOTONIC; USEC_INFINITY for one that is not idle. */
static usec_t idle_since(const Generation *g, size_t slot)
{
        WorkerRecord record;

        if (g->workers[slot].state != WORKER_LIVE || scoreboard_stage(g->board, slot) != STAGE_IDLE)
                return USEC_INFINITY;
        (void) scoreboard_read(g->board, slot, &record);
        return record.requests > 0 ? usec_add(record.request_started, record.request_duration)
                                   : g->workers[slot].forked;
}

void generation_retire_idle(Generation *g, size_t n)
{
        while (n-- > 0) {
                usec_t oldest = USEC_INFINITY;
                size_t which = 0;

                for (size_t i = 0; i < g->n_workers; i++) {
                        usec_t since = idle_since(g, i);

                        if (since < oldest) {
                                oldest = since;
                                which = i;
                        }
                }
                if (oldest == USEC_INFINITY)
                        return;
                retire_worker(g, which, IPC_RETIRE);
        }
}

void generation_retire(Generation *g, KillReason why, usec_t deadline)
{
        eventfd_t order = why == KILL_STOP_DRAIN || why == KILL_STALL_DRAIN ? IPC_RETIRE_STOP : IPC_RETIRE;

        template_drain(g->template); /* what it said until now still counts */
        g->retired = true;
        g->retired_at = now_monotonic();
        g->deadline = deadline;
        g->drain_reason = why;
        for (size_t i = 0; i < g->n_workers; i++)
                if (g->workers[i].state == WORKER_ORDERED)
                        (void) eventfd_write(g->workers[i].retire_fd, order);
                else
                        retire_worker(g, i, order);
}

void generation_retire_stop(Generation *g)
{
        for (size_t i = 0; i < g->n_workers; i++)
                if (g->workers[i].state == WORKER_RETIRING || g->workers[i].state == WORKER_ORDERED)
                        (void) eventfd_write(g->workers[i].retire_fd, IPC_RETIRE_STOP);
}

static void kill_worker(Worker *w, KillReason why)
{
        if (w->killed != KILL_NONE)
                return;
        w->killed = why;
        (void) kill(w->pid, SIGKILL);
}

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
        for (size_t i = 0; i < g->n_workers; i++) {
                Worker *w = &g->workers[i];

                if (w->pid <= 0 || w->killed != KILL_NONE)
                        continue;
                busy += stage_has_request(scoreboard_stage(g->board, i));
                kill_worker(w, why);
        }
        return busy;
}

void generation_look(Generation *g)
{
        for (size_t i = 0; i < g->n_workers; i++) {
                Worker *w = &g->workers[i];

                if (w->pid <= 0 || w->ready > 0 || scoreboard_stage(g->board, i) <= STAGE_STARTING)
                        continue;
                w->ready = now_monotonic();
                g->ready = true;
                g->n_stillborn = 0;
        }
}

/* Counts an idle worker that has so much time left. */
static void count_expiry(GenerationCount *count, usec_t left)
{
        if (left == 0)
                count->expired++;
        else
                count->expiry = MIN(count->expiry, left);
}

GenerationCount generation_count(const Generation *g)
{
        usec_t timeout = g->config->pm_process_idle_timeout;
        GenerationCount count = { .expiry = timeout };
        usec_t now = now_monotonic();

        for (size_t i = 0; i < g->n_workers; i++) {
                const Worker *w = &g->workers[i];
                Stage stage;

                if (w->state == WORKER_NONE || w->state == WORKER_LOST)
                        continue;
                if (w->state == WORKER_RETIRING) {
                        count.retiring++;
                        continue;
                }

                stage = scoreboard_stage(g->board, i);
                if (w->state == WORKER_ORDERED || stage <= STAGE_STARTING)
                        count.starting++;
                else if (stage == STAGE_IDLE) {
                        count.idle++;
                        if (g->config->pm_mode == PM_ONDEMAND)
                                count_expiry(&count, usec_sub(usec_add(idle_since(g, i), timeout), now));
                } else
                        count.busy++;
        }
        return count;
}

static bool worker_accepts(const Generation *g, size_t slot)
{
        Stage stage = scoreboard_stage(g->board, slot);

        return g->workers[slot].pid > 0 && (stage == STAGE_STARTING || stage == STAGE_IDLE);
}

bool generation_accepts(const Generation *g)
{
        for (size_t i = 0; i < g->n_workers; i++)
                if (worker_accepts(g, i))
                        return true;
        return false;
}

void generation_kill_accepting(Generation *g)
{
        for (size_t i = 0; i < g->n_workers; i++) {
                Worker *w = &g->workers[i];

                if (!worker_accepts(g, i) || w->killed != KILL_NONE)
                        continue;
                kill_worker(w, KILL_HANDOVER);
                log_warning("Worker %d is killed: %s.", w->pid, kill_reason_text(w->killed));
        }
}

/* What was ordered has not come to be in time. */
static void kill_late(Generation *g, Worker *w)
{
        if (w->state == WORKER_LIVE) {
                kill_worker(w, KILL_NOT_READY);
                log_warning("Worker %d is killed: %s.", w->pid, kill_reason_text(w->killed));
        } else if (g->template_state == TEMPLATE_UP && g->template_killed == KILL_NONE) {
                kill_template(g, KILL_NO_ORDER);
                log_warning("The template (pid %d) is killed: %s.", template_pid(g->template),
                            kill_reason_text(g->template_killed));
        }
}

usec_t generation_check_starts(Generation *g, usec_t now)
{
        usec_t limit = g->config->reload_start_timeout, next = 0;

        for (size_t i = 0; i < g->n_workers; i++) {
                Worker *w = &g->workers[i];
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

usec_t generation_last_active(const Generation *g)
{
        usec_t last = 0;

        for (size_t i = 0; i < g->n_workers; i++) {
                usec_t since = idle_since(g, i);

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

        for (size_t i = 0; i < g->n_workers; i++) {
                WorkerRecord record;

                if (g->workers[i].pid <= 0)
                        continue;
                (void) scoreboard_read(g->board, i, &record);
                last = MAX(last, past(record.request_started, now));
                last = MAX(last, past(record.request_ended, now));
        }
        return last;
}

uint64_t generation_progress(const Generation *g)
{
        uint64_t n = 0;

        for (size_t i = 0; i < g->n_workers; i++)
                n += scoreboard_progress(g->board, i);
        return n;
}

size_t generation_alive(const Generation *g)
{
        size_t n = 0;

        for (size_t i = 0; i < g->n_workers; i++)
                n += g->workers[i].pid > 0;
        return n;
}

bool generation_expects(const Generation *g)
{
        for (size_t i = 0; i < g->n_workers; i++)
                if (g->workers[i].state == WORKER_ORDERED)
                        return true;
        return false;
}

ssize_t generation_find(const Generation *g, pid_t pid)
{
        for (size_t i = 0; i < g->n_workers; i++)
                if (g->workers[i].pid == pid)
                        return (ssize_t) i;
        return -1;
}

void generation_bury(Generation *g, size_t slot)
{
        Worker *w = &g->workers[slot];

        scoreboard_release(g->board, slot);
        fd_close(w->retire_fd);
        *w = (Worker) { .retire_fd = -EBADF };
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
