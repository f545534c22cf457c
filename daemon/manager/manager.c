/* SPDX-License-Identifier: MIT */

/*
 * The manager's wiring: what it owns, and which events it hears. Handlers here only record what happened;
 * what is done about it is step.c's. PHP never runs in this process.
 */

#include "manager/manager.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include "base/fd.h"
#include "base/log.h"
#include "manager/face/log-loss.h"
#include "manager/face/page.h"
#include "manager/face/status-server.h"
#include "manager/life/reap.h"
#include "manager/life/starting.h"
#include "manager/life/verdict.h"
#include "manager/step.h"

/*
 * Deadlines are seldom and few. So they need not be delayed until other timers elapse, which sd-event does
 * by up to 250 ms.
 */
#define TIMER_ACCURACY (10 * USEC_PER_MSEC)

struct Manager {
        Pool pool; /* the book */
        Step step;
        sd_event_source *wake_source;
        StatusServer *status_server;
        LogLoss *log_loss;
};

/* ---- Events ---- */

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        Manager *m = userdata;

        pool_changed(&m->pool);
        return 0;
}

/*
 * A worker is ready, or the number of idle workers has left the bounds that sizing.c has set on the board.
 */
static int on_wake(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
        Manager *m = userdata;
        eventfd_t value;

        (void) eventfd_read(fd, &value);
        pool_changed(&m->pool);
        return 0;
}

/* A connection waits while no worker listens. */
static int on_listen(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
        Manager *m = userdata;

        m->pool.sizing.demand = true;
        m->pool.sizing.watch = false;
        pool_changed(&m->pool);
        return 0;
}

static void on_parking_change(void *userdata)
{
        Manager *m = userdata;

        pool_changed(&m->pool);
}

static void on_status_question(const HandoffQuestion *question, int socket, void *userdata)
{
        Manager *m = userdata;

        page_answer(&m->pool, question, socket);
}

static int on_page(void *userdata, DumpFormat format, bool full, char **ret, size_t *ret_size)
{
        return page_render(userdata, format, full, ret, ret_size);
}

static const Config *on_settings(void *userdata)
{
        const Pool *p = userdata;
        const Generation *g = p->current ?: p->next;

        return g ? g->config : NULL;
}

static int on_stop_signal(sd_event_source *s _unused_, const struct signalfd_siginfo *si _unused_,
                          void *userdata)
{
        Manager *m = userdata;

        pool_ask_stop(&m->pool, verdict_stop_reason(&m->pool));
        return 0;
}

static int on_reload_signal(sd_event_source *s _unused_, const struct signalfd_siginfo *si _unused_,
                            void *userdata)
{
        Manager *m = userdata;

        (void) pool_ask_reload(&m->pool);
        return 0;
}

/* ---- Setting up ---- */

static int add_signal(Manager *m, int signal, sd_event_signal_handler_t handler)
{
        return sd_event_add_signal(m->pool.event, NULL, signal, handler, m);
}

static int watch_signals(Manager *m)
{
        sigset_t mask;
        int r;

        (void) sigemptyset(&mask);
        (void) sigaddset(&mask, SIGCHLD);
        (void) sigaddset(&mask, SIGTERM);
        (void) sigaddset(&mask, SIGINT);
        (void) sigaddset(&mask, SIGHUP);
        (void) sigaddset(&mask, SIGUSR2);
        (void) sigaddset(&mask, SIGQUIT);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return -errno;
        (void) signal(SIGPIPE, SIG_IGN);

        r = reap_watch(&m->pool);
        if (r < 0)
                return r;
        r = add_signal(m, SIGTERM, on_stop_signal);
        if (r < 0)
                return r;
        r = add_signal(m, SIGINT, on_stop_signal);
        if (r < 0)
                return r;
        r = add_signal(m, SIGHUP, on_reload_signal);
        if (r < 0)
                return r;

        /*
         * PHP-FPM's signals, which logrotate scripts send. SIGUSR1 reopens logs there: here journald
         * rotates.
         */
        (void) signal(SIGUSR1, SIG_IGN);
        r = add_signal(m, SIGUSR2, on_reload_signal);
        if (r < 0)
                return r;
        return add_signal(m, SIGQUIT, on_stop_signal);
}

static int add_timers(Manager *m)
{
        Pool *p = &m->pool;
        int r;

        r = sd_event_add_defer(p->event, &p->step_source, step_on_turn, &m->step);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(p->step_source, "step");

        r = sd_event_add_time(p->event, &m->step.timer_source, CLOCK_MONOTONIC, USEC_INFINITY,
                              TIMER_ACCURACY, on_timer, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->step.timer_source, "deadline");
        return log_loss_new(p->event, &m->log_loss);
}

static int watch_wake(Manager *m)
{
        Pool *p = &m->pool;
        int r;

        p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (p->wake_fd < 0)
                return -errno;
        p->error_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (p->error_fd < 0)
                return -errno;
        r = sd_event_add_io(p->event, &m->wake_source, p->wake_fd, EPOLLIN, on_wake, m);
        if (r < 0)
                return r;
        return sd_event_source_set_description(m->wake_source, "wake");
}

static int watch_traffic(Manager *m)
{
        Pool *p = &m->pool;
        int r;

        for (size_t i = 0; i < p->listen.n; i++) {
                r = sd_event_add_io(p->event, &m->step.listen_sources[i], p->listen.sockets[i].fd, EPOLLIN,
                                    on_listen, m);
                if (r < 0)
                        return r;
                (void) sd_event_source_set_enabled(m->step.listen_sources[i], SD_EVENT_OFF);
                (void) sd_event_source_set_description(m->step.listen_sources[i], "listen");
        }
        r = parking_new(p->event, on_parking_change, m, &p->parking);
        if (r < 0)
                return r;
        parking_set_on_status(p->parking, on_status_question, m);
        return 0;
}

/* Connections that were parked when the manager before us ended. */
static void adopt_parked(Pool *p)
{
        for (size_t i = 0; i < p->listen.n_parked; i++) {
                ProtocolSocket *k = &p->listen.parked[i];
                int r = parking_adopt(p->parking, k->protocol, TAKE_FD(k->fd));

                if (r < 0)
                        (void) log_warning_errno(r, "Failed to adopt a parked connection, ignoring: %m");
        }
}

static int set_up_faces(Manager *m)
{
        Pool *p = &m->pool;
        int r;

        r = notify_new(p, &m->step.notify);
        if (r >= 0)
                r = watchdog_new(p, &m->step.watchdog);
        if (r < 0)
                return log_error_errno(r, "Failed to set up the watchdog: %m");
        r = status_server_new(p->event, p->listen.status, p->listen.n_status,
                              &(StatusServerPool) { on_page, on_settings, p }, &m->status_server);
        if (r < 0)
                return log_error_errno(r, "Failed to watch the status sockets: %m");
        r = control_new(p, &m->step.control);
        if (r < 0)
                return log_error_errno(r, "Failed to watch the control socket: %m");
        return 0;
}

static int set_up(Manager *m)
{
        Pool *p = &m->pool;
        int r;

        /* Workers are forked by a launcher that exits at once: they become ours, and we reap them. */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return log_error_errno(errno, "Failed to become a subreaper: %m");
        /* A descriptor for each parked connection. */
        r = fd_raise_limit(&p->descriptor_limit);
        if (r < 0)
                return log_error_errno(r, "Failed to raise the limit on descriptors: %m");
        r = sd_event_new(&p->event);
        if (r < 0)
                return log_error_errno(r, "Failed to make the event loop: %m");
        r = watch_signals(m);
        if (r < 0)
                return log_error_errno(r, "Failed to watch signals: %m");
        r = add_timers(m);
        if (r < 0)
                return log_error_errno(r, "Failed to make timers: %m");
        r = watch_wake(m);
        if (r >= 0)
                r = watch_traffic(m);
        if (r < 0)
                return log_error_errno(r, "Failed to watch descriptors: %m");
        adopt_parked(p);
        r = queue_new(&p->listen, p->parking, &p->queue);
        if (r < 0)
                return log_error_errno(r, "Failed to look at the listening sockets: %m");
        return set_up_faces(m);
}

int manager_new(const char *pool, const char *config_path, Config *config, Listen *listen, Manager **ret)
{
        _cleanup_(config_freep) Config *owned = config;
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = calloc(1, sizeof *m);
        if (!m)
                return log_error_errno(ENOMEM, "Failed to make the manager: %m");
        pool_init(&m->pool, pool, config_path, listen);
        m->step.pool = &m->pool;

        r = set_up(m);
        if (r < 0)
                return r;

        r = starting_begin(&m->pool, RELOAD_REQUESTED, TAKE_PTR(owned));
        if (r < 0)
                return log_error_errno(r, "Failed to start PHP's template: %m");

        *ret = TAKE_PTR(m);
        return 0;
}

void manager_free(Manager *m)
{
        if (!m)
                return;
        control_free(m->step.control);
        status_server_free(m->status_server);
        watchdog_free(m->step.watchdog);
        notify_free(m->step.notify);
        for (size_t i = 0; i < INHERIT_LISTEN_MAX; i++)
                sd_event_source_disable_unref(m->step.listen_sources[i]);
        log_loss_free(m->log_loss);
        sd_event_source_disable_unref(m->wake_source);
        sd_event_source_disable_unref(m->step.timer_source);
        pool_done(&m->pool);
        free(m);
}

int manager_run(Manager *m)
{
        return sd_event_loop(m->pool.event);
}
