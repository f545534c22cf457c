/* SPDX-License-Identifier: MIT */

/*
 * The deaths of processes. The manager is a subreaper: workers come to it from their launchers, and so does
 * whatever a script left behind in the background, which it reaps and otherwise leaves alone.
 *
 * A launcher announces its workers before it exits, and only then can the kernel report their death to the
 * manager. So the manager hears every channel out first, and knows the pid of each worker that was
 * announced.
 */

#include "manager/life/reap.h"

#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "base/log.h"
#include "base/messages.h"
#include "ipc/exit-status.h"
#include "manager/decide/loading.h"
#include "manager/life/upgrade.h"

/* A script may leave many processes behind; so many are reaped in one turn of the loop. */
#define REAP_MAX 64

/*
 * "was killed by SIGSEGV (core dumped)", "exited with status 3"; or, with why we killed it, "was killed by
 * SIGKILL (it is not ready …)".
 */
static void describe_death(const siginfo_t *si, KillReason killed, char *buffer, size_t size)
{
        bool ours = si->si_code == CLD_KILLED && si->si_status == SIGKILL && killed != KILL_NONE;
        const char *known = si->si_code == CLD_EXITED ? exit_status_text(si->si_status) : NULL;
        char description[EXIT_DESCRIPTION_MAX];

        exit_describe(si->si_code, si->si_status, description);
        if (ours)
                (void) snprintf(buffer, size, "%s (%s)", description, kill_reason_text(killed));
        else
                (void) snprintf(buffer, size, "%s", known ?: description);
}

static bool has_status(const siginfo_t *si, ExitStatus status)
{
        return si->si_code == CLD_EXITED && si->si_status == (int) status;
}

/*
 * A worker that ended as ordered, or that the manager killed, is no surprise, unless its request is lost: a
 * library that calls exit(0) ends it, too.
 */
static bool death_expected(const siginfo_t *si, const Worker *w, bool running)
{
        if (has_status(si, EXIT_STATUS_TERMINATED))
                return true;
        if (si->si_code == CLD_EXITED)
                return exit_status_expected(si->si_status) && !running;
        return w->killed != KILL_NONE && !running;
}

static Recycled recycled_cause(const siginfo_t *si, const Worker *w)
{
        if (si->si_code != CLD_EXITED) {
                if (w->limit_measure >= LIMIT_TERMINATE)
                        return RECYCLED_TERMINATED;
                return w->killed != KILL_NONE ? RECYCLED_RETIRED : RECYCLED_CRASHED;
        }
        switch (si->si_status) {
        case EXIT_STATUS_RETIRED:
                return RECYCLED_RETIRED;
        case EXIT_STATUS_MAX_REQUESTS:
                return RECYCLED_MAX_REQUESTS;
        case EXIT_STATUS_MAX_MEMORY:
                return RECYCLED_MAX_MEMORY;
        case EXIT_STATUS_TERMINATED:
                return RECYCLED_TERMINATED;
        default:
                return RECYCLED_CRASHED;
        }
}

/* The one record of a worker's death. */
static void write_obituary(int level, const Generation *g, const Worker *w, size_t slot,
                           const WorkerRecord *record, const siginfo_t *si)
{
        char death[DEATH_TEXT_MAX], pid[16], slots[24], requests[24], age[32], status[16];
        bool running = stage_has_request(record->stage);

        describe_death(si, w->killed, death, sizeof death);
        (void) snprintf(pid, sizeof pid, "%d", si->si_pid);
        (void) snprintf(slots, sizeof slots, "%zu", slot);
        (void) snprintf(requests, sizeof requests, "%llu", (unsigned long long) record->requests);
        (void) snprintf(age, sizeof age, "%llu", (unsigned long long) usec_sub(now_monotonic(), w->forked));
        (void) snprintf(status, sizeof status, "%d", si->si_status);

        (void) log_record(level, 0, MESSAGE_ID(WORKER_DIED),
                          (LogField[]){
                                          { "PHP_WORKER_PID", pid },
                                          { "PHP_GENERATION", g->id_text },
                                          { "PHP_WORKER_SLOT", slots },
                                          { "PHP_WORKER_REQUESTS", requests },
                                          { "PHP_WORKER_AGE_USEC", age },
                                          { si->si_code == CLD_EXITED ? "EXIT_STATUS" : "EXIT_SIGNAL",
                                            status },
                                          { "PHP_SCRIPT", running ? record->script : NULL },
                                          { "REQUEST_METHOD", running ? record->method : NULL },
                                          { "REQUEST_URI", running ? record->uri : NULL },
                                          {},
                          },
                          "Worker %s %s after %s requests%s%s.", pid, death, requests,
                          running && record->script[0] ? ", while it ran " : "",
                          running ? record->script : "");
}

usec_t reap_report(Pool *p, usec_t now)
{
        Deaths *d = &p->deaths;
        usec_t due = obituaries_due(&d->obituaries);
        char count[24];

        if (due == 0 || (now < due && p->life.state != POOL_STOPPING))
                return due;

        (void) snprintf(count, sizeof count, "%zu", obituaries_take(&d->obituaries, now));
        (void) log_record(LOG_WARNING, 0, MESSAGE_ID(WORKERS_DIED),
                          (LogField[]) {
                                          { "PHP_WORKER_DEATHS", count },
                                          { "PHP_SCRIPT", d->last_script[0] ? d->last_script : NULL },
                                          {},
                          },
                          "Pool %s: %s more workers died; the last one %s%s%s.", p->name, count, d->last,
                          d->last_script[0] ? " while it ran " : "", d->last_script);
        return 0;
}

/*
 * Notes an unexpected death. True: it gets an obituary now. False: it is only counted, for reap_report().
 * Clients may ask again and again for a script that crashes PHP: the log must not fill up with it.
 */
static bool note_death(Pool *p, usec_t now, const Worker *w, const WorkerRecord *record,
                          const siginfo_t *si)
{
        Deaths *d = &p->deaths;

        if (obituaries_note(&d->obituaries, now))
                return true;
        describe_death(si, w->killed, d->last, sizeof d->last);
        (void) snprintf(d->last_script, sizeof d->last_script, "%s",
                        stage_has_request(record->stage) ? record->script : "");
        return false;
}

/* PHP-FPM's emergency_restart_threshold: a crash may have left its marks in the shared opcache. */
static void note_crash(Pool *p, Generation *g, usec_t now, const siginfo_t *si)
{
        uint64_t threshold = g->config->emergency_restart_threshold;

        if (g->state == GENERATION_SUSPECT || si->si_code == CLD_EXITED ||
            (si->si_status != SIGSEGV && si->si_status != SIGBUS))
                return;
        if (!crashes_note(&p->deaths.crashes, now, threshold, g->config->emergency_restart_interval))
                return;
        generation_suspect(g);
        (void) log_record(LOG_WARNING, 0, MESSAGE_ID(EMERGENCY_RESTART),
                          (LogField[]) { { "PHP_GENERATION", g->id_text }, {} },
                          "Pool %s: %llu workers crashed within emergency_restart.interval; PHP is "
                          "started anew.",
                          p->name, (unsigned long long) threshold);
}

static void worker_died(Pool *p, Generation *g, size_t slot, const siginfo_t *si)
{
        Worker *w = &g->workers.slots[slot];
        usec_t now = now_monotonic();
        WorkerRecord record;
        bool expected;

        generation_look(g);
        (void) scoreboard_read(g->workers.board, slot, &record);
        totals_worker_ended(&p->totals, w, &record, recycled_cause(si, w), now);

        expected = death_expected(si, w, stage_has_request(record.stage));
        write_obituary(!expected && note_death(p, now, w, &record, si) ? LOG_WARNING : LOG_DEBUG, g, w,
                       slot, &record, si);
        if (!expected || si->si_code != CLD_EXITED || has_status(si, EXIT_STATUS_TERMINATED)) {
                p->sizing.rouse = true; /* the kernel may have told it alone of a connection */
                g->limits_due = true;   /* it may have been about to start the timer */
        }
        if (!expected && g == p->current) {
                note_crash(p, g, now, si);
                if (w->ready > 0 && w->killed == KILL_NONE)
                        respawn_note(&p->deaths.respawn, now, g->config->pm_max_spawn_rate);
        }

        if (w->ready == 0 && g->state != GENERATION_RETIRED && w->killed == KILL_NONE &&
            w->state == WORKER_LIVE) {
                char death[DEATH_TEXT_MAX];

                g->n_stillborn++;
                describe_death(si, w->killed, death, sizeof death);
                if (g == p->next)
                        generation_fail(g, "its first worker %s", death);
                else
                        pool_hold_spawn(p, g->n_stillborn);
        }
        workers_bury(&g->workers, slot);
}

static void fail_other_build(Pool *p, Generation *g)
{
        _cleanup_(freep) char *text = NULL;

        g->other_build = true;
        (void) upgrade_explain(p->name, template_program(g->template), p->current != NULL, &text);
        generation_fail(g, "%s", text ?: strerror(ENOMEM));
}

/* Why the generation that was to start does not. */
static void fail_start(Pool *p, Generation *g, const siginfo_t *si, const char *words)
{
        _cleanup_(freep) char *text = NULL;
        char death[DEATH_TEXT_MAX];

        if (has_status(si, EXIT_STATUS_OTHER_BUILD))
                fail_other_build(p, g);
        else if (has_status(si, EXIT_STATUS_NOT_EXECUTED) &&
                 loading_explain(g->config->php_version, words, &text) > 0)
                generation_fail(g, "%s", text);
        else {
                describe_death(si, g->template_killed, death, sizeof death);
                generation_fail(g, "%s%sPHP's template process %s", words, words[0] ? "\n" : "", death);
        }
}

static void template_died(Pool *p, Generation *g, const siginfo_t *si)
{
        const char *words = template_last_words(g->template);
        char death[DEATH_TEXT_MAX];

        generation_template_died(g);
        if (g->state == GENERATION_RETIRED)
                return;

        describe_death(si, g->template_killed, death, sizeof death);
        if (g == p->next)
                fail_start(p, g, si, words);
        else
                (void) log_record(LOG_WARNING, 0, MESSAGE_ID(TEMPLATE_DIED),
                                  (LogField[]){ { "PHP_GENERATION", g->id_text }, {} },
                                  "The template (pid %d) %s; workers go on, a new one is started.",
                                  si->si_pid, death);
}

static void reap_one(Pool *p, const siginfo_t *si)
{
        FOREACH_GENERATION(g, p) {
                ssize_t slot;

                if (g->template_state != TEMPLATE_DEAD && template_pid(g->template) == si->si_pid) {
                        template_died(p, g, si);
                        return;
                }
                slot = workers_find(&g->workers, si->si_pid);
                if (slot >= 0) {
                        worker_died(p, g, (size_t) slot, si);
                        return;
                }
        }
        log_debug("Reaped process %d, which a script left behind.", si->si_pid);
}

static void hear_channels_out(Pool *p)
{
        if (p->current)
                template_hear_out(p->current->template);
        if (p->next)
                template_hear_out(p->next->template);
        for (Generation *g = p->retired; g; g = g->older)
                template_hear_out(g->template);
}

static int on_sigchld(sd_event_source *s _unused_, const struct signalfd_siginfo *ssi _unused_,
                      void *userdata)
{
        Pool *p = userdata;

        for (size_t n = 0;; n++) {
                siginfo_t si = {};

                if (n >= REAP_MAX) { /* other sources have their turn */
                        (void) raise(SIGCHLD);
                        break;
                }
                if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || si.si_pid == 0)
                        break;
                hear_channels_out(p);
                (void) waitid(P_PID, (id_t) si.si_pid, &si, WEXITED | WNOHANG);
                reap_one(p, &si);
        }

        pool_changed(p);
        return 0;
}

int reap_watch(Pool *p)
{
        return sd_event_add_signal(p->event, NULL, SIGCHLD, on_sigchld, p);
}
