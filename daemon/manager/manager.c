/* SPDX-License-Identifier: MIT */

/*
 * The manager's wiring: what it owns, which events it hears, and how a generation is begun. What happens
 * then is decided in state.c. PHP never runs in this process.
 */

#include "manager/manager.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/face/control.h"
#include "manager/face/notify.h"
#include "manager/face/page.h"
#include "manager/face/status-server.h"
#include "manager/life/reap.h"
#include "manager/life/upgrade.h"
#include "manager/pool/generation-count.h"
#include "poolfile/parse.h"

/*
 * Deadlines are seldom and few: they need not be put together with other timers, as sd-event does by 250 ms.
 */
#define TIMER_ACCURACY (10 * USEC_PER_MSEC)

void manager_changed(Manager *m)
{
        (void) sd_event_source_set_enabled(m->step_source, SD_EVENT_ONESHOT);
}

static int on_step(sd_event_source *s _unused_, void *userdata)
{
        manager_step(userdata);
        return 0;
}

static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        manager_changed(userdata);
        return 0;
}

static int on_tick(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        Manager *m = userdata;

        m->tick = true;
        manager_changed(m);
        return 0;
}

/* Workers: the idle count fell below the threshold, or one is ready. */
static int on_wake(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
        eventfd_t value;

        (void) eventfd_read(fd, &value);
        manager_changed(userdata);
        return 0;
}

/* A connection waits while no worker listens. */
static int on_listen(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
        Manager *m = userdata;

        m->demand = true;
        manager_changed(m);
        return 0;
}

static void on_parking_change(void *userdata)
{
        manager_changed(userdata);
}

static void on_status_question(const HandoffQuestion *question, int socket, void *userdata)
{
        page_answer(userdata, question, socket);
}

static int on_page(void *userdata, DumpFormat format, bool full, char **ret, size_t *ret_size)
{
        return page_render(userdata, format, full, ret, ret_size);
}

static const Config *on_settings(void *userdata)
{
        const Manager *m = userdata;
        const Generation *g = m->current ?: m->next;

        return g ? g->config : NULL;
}

static int on_stop_signal(sd_event_source *s _unused_, const struct signalfd_siginfo *si _unused_,
                          void *userdata)
{
        Manager *m = userdata;

        manager_stop(m, notify_stop_reason(m->notify));
        return 0;
}

static int on_reload_signal(sd_event_source *s _unused_, const struct signalfd_siginfo *si _unused_,
                            void *userdata)
{
        manager_reload(userdata);
        return 0;
}

static void on_generation_change(void *userdata)
{
        manager_changed(userdata);
}

/* A list of clients that can concern nobody is worth a word to the operator. */
static void look_at_allowed_clients(const Manager *m, const Config *config)
{
        if (*config->security_allowed_clients && !m->listen.over_ip)
                (void) log_warning(
                        "security.allowed_clients has no effect: the pool listens on Unix sockets only, and "
                        "who may use those is said by SocketUser=, SocketGroup= and SocketMode= of the "
                        "socket unit.");
}

int manager_start_generation(Manager *m, Config *config)
{
        Inherit inherit = {
                .channel = -EBADF,
                .handoff = parking_worker_fd(m->parking),
                .wake = m->wake_fd,
                .error = m->error_fd,
                .n_listen = m->listen.n,
                .descriptor_limit = m->descriptor_limit,
        };
        GenerationOwner owner = {
                .event = m->event,
                .pool = m->pool,
                .on_change = on_generation_change,
                .userdata = m,
        };
        _cleanup_(freep) char *installed = NULL;
        int r;

        /* A reload is for what is installed now. A template that died is replaced as it was. */
        if (m->current && m->reason == RELOAD_REQUESTED && upgrade_find_manager(&installed) > 0)
                inherit.through = installed;
        look_at_allowed_clients(m, config);
        memcpy(inherit.listen, m->listen.sockets, m->listen.n * sizeof *m->listen.sockets);
        r = generation_start(&owner, ++m->last_generation, config, &inherit, &m->next);
        if (r >= 0)
                scoreboard_set_watched(m->next->workers.board, m->watched);
        m->start_told = false;
        return r;
}

static void reload_refused(Manager *m, const char *why)
{
        (void) log_record(LOG_ERR, 0, MESSAGE_ID(RELOAD_FAILED),
                          (LogField[]){ { "PHP_GENERATION", m->current->id_text }, {} },
                          "Reload of pool %s refused, generation %s goes on: %s", m->pool,
                          m->current->id_text, why);
        control_reload_done(m->control, why);
}

void manager_reload(Manager *m)
{
        ConfigErrors errors = {};
        Config *config = NULL;
        int r;

        if (m->state >= POOL_DRAINING)
                return;
        if (m->state != POOL_RUNNING) {
                m->reload_again = true;
                return;
        }

        m->reason = RELOAD_REQUESTED;
        manager_set_state(m, POOL_RELOADING);

        r = config_parse_pool(m->config_path, &config, &errors);
        if (r >= 0)
                r = manager_start_generation(m, config);
        if (r < 0) {
                _cleanup_(freep) char *why = config_errors_format(&errors);

                reload_refused(m, why ?: strerror(-r));
                manager_set_state(m, POOL_RUNNING);
        }
        config_errors_clear(&errors);
        manager_changed(m);
}

static int add_signal(Manager *m, int signal, sd_event_signal_handler_t handler)
{
        return sd_event_add_signal(m->event, NULL, signal, handler, m);
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

        r = reap_watch(m);
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
        int r;

        r = sd_event_add_defer(m->event, &m->step_source, on_step, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->step_source, "step");

        r = sd_event_add_time(m->event, &m->timer_source, CLOCK_MONOTONIC, USEC_INFINITY, TIMER_ACCURACY,
                              on_timer, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->timer_source, "deadline");

        r = sd_event_add_time(m->event, &m->tick_source, CLOCK_MONOTONIC, USEC_INFINITY, 0, on_tick, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(m->tick_source, SD_EVENT_OFF);
        (void) sd_event_source_set_description(m->tick_source, "maintenance");
        return log_loss_new(m->event, &m->log_loss);
}

static int watch_descriptors(Manager *m)
{
        int r;

        m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (m->wake_fd < 0)
                return -errno;
        m->error_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (m->error_fd < 0)
                return -errno;
        r = sd_event_add_io(m->event, &m->wake_source, m->wake_fd, EPOLLIN, on_wake, m);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(m->wake_source, "wake");

        for (size_t i = 0; i < m->listen.n; i++) {
                r = sd_event_add_io(m->event, &m->listen_sources[i], m->listen.sockets[i].fd, EPOLLIN,
                                    on_listen, m);
                if (r < 0)
                        return r;
                (void) sd_event_source_set_enabled(m->listen_sources[i], SD_EVENT_OFF);
                (void) sd_event_source_set_description(m->listen_sources[i], "listen");
        }
        r = parking_new(m->event, on_parking_change, m, &m->parking);
        if (r < 0)
                return r;
        parking_set_on_status(m->parking, on_status_question, m);
        return 0;
}

/* Connections that were parked when the manager before us ended. */
static void adopt_parked(Manager *m)
{
        for (size_t i = 0; i < m->listen.n_parked; i++) {
                ProtocolSocket *k = &m->listen.parked[i];
                int r = parking_adopt(m->parking, k->protocol, TAKE_FD(k->fd));

                if (r < 0)
                        (void) log_warning_errno(r, "Failed to adopt a parked connection, ignoring: %m");
        }
}

/*
 * A wake-up of a worker tells it of one connection at each socket, and nobody else (EPOLLEXCLUSIVE); if it
 * dies before it takes that, idle workers sleep on. One that waits is parked: it goes to one of them.
 */
void manager_rouse(Manager *m)
{
        if (m->state >= POOL_DRAINING || !m->current || generation_count(m->current).idle == 0)
                return;
        for (size_t i = 0; i < m->listen.n && !parking_is_full(m->parking); i++) {
                int fd, r;

                fd = accept4(m->listen.sockets[i].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd < 0)
                        continue;
                r = parking_adopt(m->parking, m->listen.sockets[i].protocol, fd);
                if (r < 0)
                        (void) log_warning_errno(r, "Failed to park a new connection, closing it: %m");
        }
        parking_rouse(m->parking);
}

static int manager_setup(Manager *m)
{
        int r;

        /* Workers are forked by a launcher that exits at once: they become ours, and we reap them. */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
                return log_error_errno(errno, "Failed to become a subreaper: %m");
        /* A descriptor for each parked connection. */
        r = fd_raise_limit(&m->descriptor_limit);
        if (r < 0)
                return log_error_errno(r, "Failed to raise the limit on descriptors: %m");
        r = sd_event_new(&m->event);
        if (r < 0)
                return log_error_errno(r, "Failed to make the event loop: %m");
        r = watch_signals(m);
        if (r < 0)
                return log_error_errno(r, "Failed to watch signals: %m");
        r = add_timers(m);
        if (r < 0)
                return log_error_errno(r, "Failed to make timers: %m");
        r = watch_descriptors(m);
        if (r < 0)
                return log_error_errno(r, "Failed to watch descriptors: %m");
        adopt_parked(m);
        r = queue_new(&m->listen, m->parking, &m->queue);
        if (r < 0)
                return log_error_errno(r, "Failed to look at the listening sockets: %m");
        r = notify_new(m, &m->notify);
        if (r < 0)
                return log_error_errno(r, "Failed to set up the watchdog: %m");
        r = status_server_new(m->event, m->listen.status, m->listen.n_status,
                              &(StatusServerPool) { on_page, on_settings, m }, &m->status_server);
        if (r < 0)
                return log_error_errno(r, "Failed to watch the status sockets: %m");
        r = control_new(m, &m->control);
        if (r < 0)
                return log_error_errno(r, "Failed to watch the control socket: %m");
        return 0;
}

int manager_new(const char *pool, const char *config_path, Config *config, Listen *listen, Manager **ret)
{
        _cleanup_(config_freep) Config *owned = config;
        _cleanup_(manager_freep) Manager *m = NULL;
        int r;

        m = malloc(sizeof *m);
        if (!m)
                return log_error_errno(ENOMEM, "Failed to make the manager: %m");
        *m = (Manager){
                .pool = pool,
                .config_path = config_path,
                .listen = *listen,
                .wake_fd = -EBADF,
                .error_fd = -EBADF,
                .start_time = now_realtime(),
        };
        *listen = (Listen){ .control = -EBADF };

        r = manager_setup(m);
        if (r < 0)
                return r;

        r = manager_start_generation(m, TAKE_PTR(owned));
        if (r < 0)
                return log_error_errno(r, "Failed to start PHP's template: %m");

        *ret = TAKE_PTR(m);
        return 0;
}

void manager_free(Manager *m)
{
        if (!m)
                return;
        control_free(m->control);
        status_server_free(m->status_server);
        notify_free(m->notify);
        generation_free(m->current);
        generation_free(m->next);
        while (m->retired) {
                Generation *g = m->retired;

                m->retired = g->older;
                generation_free(g);
        }
        queue_free(m->queue);
        parking_free(m->parking);
        for (size_t i = 0; i < INHERIT_LISTEN_MAX; i++)
                sd_event_source_disable_unref(m->listen_sources[i]);
        log_loss_free(m->log_loss);
        sd_event_source_disable_unref(m->watch_source);
        sd_event_source_disable_unref(m->wake_source);
        sd_event_source_disable_unref(m->tick_source);
        sd_event_source_disable_unref(m->timer_source);
        sd_event_source_disable_unref(m->step_source);
        fd_close(m->wake_fd);
        fd_close(m->error_fd);
        listen_close(&m->listen);
        sd_event_unref(m->event);
        free(m);
}

int manager_run(Manager *m)
{
        return sd_event_loop(m->event);
}
