/* SPDX-License-Identifier: MIT */

/*
 * The loop: see server.h. It takes connections, asks the kernel for the user of each, and forks a process
 * for each message (run.h) when it is its user's turn (slots.h). It never receives what clients send,
 * least of all descriptors: whatever these are, they can only hold up a process that counts for their own
 * user.
 *
 * A job (jobs.h) is one connection on its way.
 */

#include "sendmail/server.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/messages.h"
#include "sendmail/jobs.h"
#include "sendmail/run.h"

/* How long no connection is taken after the system has refused one. */
#define ACCEPT_PAUSE_USEC (100 * USEC_PER_MSEC)
#define ACCEPT_LOG_INTERVAL (60 * USEC_PER_SEC)

/* How often refused connections of a user are logged: making them costs the user next to nothing. */
#define REFUSED_LOG_INTERVAL (10 * USEC_PER_SEC)

struct MailServer {
        sd_event *event;
        int listen_fd;
        sd_event_source *listen, *idle, *pause;
        bool ending;
        Jobs jobs;
        usec_t accept_logged, refused_logged;
};

/* ---- Jobs ---- */

static void start_waiting_jobs(MailServer *s);

/* Looks for work after something has changed. */
static void mail_server_step(MailServer *s)
{
        start_waiting_jobs(s);
        if (s->jobs.first)
                (void) sd_event_source_set_enabled(s->idle, SD_EVENT_OFF);
        else if (s->ending)
                (void) sd_event_exit(s->event, 0);
        else if (sd_event_source_set_time_relative(s->idle, SERVER_IDLE_USEC) >= 0)
                (void) sd_event_source_set_enabled(s->idle, SD_EVENT_ONESHOT);
}

static void job_end(Job *job)
{
        MailServer *s = job->server;

        job_free(job);
        mail_server_step(s);
}

/* The job's process has ended, and with it all of its descendants. */
static int on_job_child(sd_event_source *source _unused_, const siginfo_t *info _unused_, void *userdata)
{
        job_end(userdata);
        return 0;
}

/* Ends a delivery in the background: the mail server has the message, and tries again. */
static void job_hurry(Job *job)
{
        assert(job->state == JOB_LINGERING);

        job_set_state(job, JOB_ENDING);
        (void) kill(job->pid, SIGTERM);
}

/* Ends the oldest delivery of a user who has too many in the background. */
static void limit_lingering(MailServer *s, const User *user)
{
        Job *job = s->jobs.first;

        if (user->load.lingering <= MAIL_LINGERING_USER_MAX)
                return;
        while (job->user != user || job->state != JOB_LINGERING)
                job = job->next;
        job_hurry(job);
}

/* Sendmail has ended. */
static int on_running_closed(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                             void *userdata)
{
        Job *job = userdata;

        job->source = sd_event_source_disable_unref(job->source);
        job->running = fd_close(job->running);
        job_set_state(job, JOB_LINGERING);
        if (job->server->ending)
                job_hurry(job);
        else
                limit_lingering(job->server, job->user);
        mail_server_step(job->server);
        return 0;
}

static int on_client_gone(sd_event_source *source _unused_, int fd _unused_, uint32_t events _unused_,
                          void *userdata)
{
        job_end(userdata);
        return 0;
}

static int on_waited(sd_event_source *source _unused_, uint64_t now _unused_, void *userdata)
{
        Job *job = userdata;

        mail_answer(job->connection, &job->peer, EX_UNAVAILABLE, MESSAGE_ID(MAIL_FAILED),
                    "too many others were being sent for half a minute.");
        job_end(job);
        return 0;
}

/* Leaves a job's process its own descriptors, and none of the server's. */
_noreturn_ static void be_runner(const MailServer *s, const Job *me, int running)
{
        fd_close(s->listen_fd);
        for (const Job *job = s->jobs.first; job; job = job->next) {
                fd_close(job->running);
                if (job != me)
                        fd_close(job->connection);
        }
        mail_run(me->connection, running, &me->peer);
        _exit(EXIT_SUCCESS);
}

/* Forks its process. 0 or -errno. */
static int job_run(Job *job)
{
        MailServer *s = job->server;
        int ends[2], r;

        if (pipe2(ends, O_CLOEXEC) < 0)
                return -errno;
        job->pid = fork();
        if (job->pid == 0) {
                fd_close(ends[0]);
                be_runner(s, job, ends[1]);
        }
        fd_close(ends[1]);
        job->running = ends[0];
        if (job->pid < 0)
                return -errno;

        job_set_state(job, JOB_RUNNING);
        job->timer = sd_event_source_disable_unref(job->timer);
        job->source = sd_event_source_disable_unref(job->source);
        job->connection = fd_close(job->connection);
        r = sd_event_add_child(s->event, &job->child, job->pid, WEXITED, on_job_child, job);
        if (r < 0)
                return r;
        return sd_event_add_io(s->event, &job->source, job->running, EPOLLIN, on_running_closed, job);
}

/* Runs all whose turn it is. */
static void start_waiting_jobs(MailServer *s)
{
        Job *next;

        for (Job *job = s->jobs.first; job; job = next) {
                next = job->next;
                if (job->state != JOB_WAITING || !mail_may_run(&s->jobs.load, &job->user->load))
                        continue;
                if (job_run(job) >= 0)
                        continue;
                if (job->connection >= 0)
                        mail_answer(job->connection, &job->peer, EX_UNAVAILABLE, MESSAGE_ID(MAIL_FAILED),
                                    "the system has no room for another process.");
                job_free(job);
        }
}

/* ---- Connections ---- */

/*
 * Lets a new job wait for its turn, which may come at once. 0, or -errno: then it still belongs to the
 * caller.
 */
static int job_wait(Job *job)
{
        MailServer *s = job->server;
        MailReply wait = mail_reply(MAIL_WAIT, 0, false, NULL);
        int r;

        r = sd_event_add_io(s->event, &job->source, job->connection, EPOLLRDHUP, on_client_gone, job);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(s->event, &job->timer, CLOCK_MONOTONIC, SERVER_WAIT_USEC, 0,
                                       on_waited, job);
        if (r < 0)
                return r;
        r = jobs_enter(&s->jobs, job);
        if (r < 0)
                return r;
        job_set_state(job, JOB_WAITING);
        (void) send(job->connection, &wait, sizeof wait, MSG_NOSIGNAL | MSG_DONTWAIT);
        return 0;
}

/* Answers a connection that is refused; false for one that is served. */
static bool refuse_client(MailServer *s, int fd, const Peer *peer)
{
        static const MailLoad none = {};
        User *user = jobs_find_user(&s->jobs, peer->uid);
        usec_t *last = user ? &user->refused_logged : &s->refused_logged;
        const char *why = NULL;

        if (peer->uid == 0)
                why = "root has no use for php-pool-sendmail, and runs sendmail itself.";
        else if (!mail_may_wait(&s->jobs.load, user ? &user->load : &none))
                why = "too many messages wait to be sent.";
        else
                return false;
        mail_answer(fd, peer, EX_UNAVAILABLE,
                    log_is_due(last, REFUSED_LOG_INTERVAL) ? MESSAGE_ID(MAIL_FAILED) : NULL, why);
        return true;
}

static int take_mail_client(MailServer *s, int fd)
{
        _cleanup_(job_freep) Job *job = NULL;
        int r;

        job = malloc(sizeof *job);
        if (!job) {
                fd_close(fd);
                return -ENOMEM;
        }
        *job = (Job){ .server = s, .connection = fd, .running = -EBADF };
        r = peer_read(fd, &job->peer);
        if (r < 0)
                return r;
        if (refuse_client(s, fd, &job->peer))
                return 0;
        r = job_wait(job);
        if (r < 0)
                return r;
        TAKE_PTR(job);
        mail_server_step(s);
        return 0;
}

static int on_pause_over(sd_event_source *source _unused_, uint64_t now _unused_, void *userdata)
{
        MailServer *s = userdata;

        return s->ending ? 0 : sd_event_source_set_enabled(s->listen, SD_EVENT_ON);
}

static int on_mail_client(sd_event_source *source, int fd, uint32_t events _unused_, void *userdata)
{
        MailServer *s = userdata;
        int r, connection;

        connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        r = connection < 0 ? -errno : take_mail_client(s, connection);
        if (r >= 0 || r == -EAGAIN || r == -EINTR || r == -ECONNABORTED)
                return 0;
        if (log_is_due(&s->accept_logged, ACCEPT_LOG_INTERVAL))
                (void) log_warning_errno(r, "A connection could not be taken: %m");
        r = sd_event_source_set_time_relative(s->pause, ACCEPT_PAUSE_USEC);
        if (r >= 0)
                r = sd_event_source_set_enabled(s->pause, SD_EVENT_ONESHOT);
        return r < 0 ? r : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

/* ---- Life ---- */

static int on_idle(sd_event_source *source _unused_, uint64_t now _unused_, void *userdata)
{
        MailServer *s = userdata;

        return sd_event_exit(s->event, 0);
}

/* The socket stays systemd's; messages that were taken from it are still sent. */
static int on_terminate(sd_event_source *source _unused_, const struct signalfd_siginfo *info _unused_,
                        void *userdata)
{
        MailServer *s = userdata;

        s->ending = true;
        (void) sd_event_source_set_enabled(s->listen, SD_EVENT_OFF);
        for (Job *job = s->jobs.first; job; job = job->next)
                if (job->state == JOB_LINGERING)
                        job_hurry(job);
        mail_server_step(s);
        return 0;
}

static int add_sources(MailServer *s)
{
        int r;

        r = sd_event_add_io(s->event, &s->listen, s->listen_fd, EPOLLIN, on_mail_client, s);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(s->event, &s->idle, CLOCK_MONOTONIC, SERVER_IDLE_USEC, 0, on_idle, s);
        if (r < 0)
                return r;
        r = sd_event_add_time_relative(s->event, &s->pause, CLOCK_MONOTONIC, 0, 0, on_pause_over, s);
        if (r < 0)
                return r;
        r = sd_event_add_signal(s->event, NULL, SIGTERM | SD_EVENT_SIGNAL_PROCMASK, on_terminate, s);
        if (r < 0)
                return r;
        return sd_event_set_watchdog(s->event, true);
}

int mail_server_new(int listen_fd, MailServer **ret)
{
        _cleanup_(mail_server_freep) MailServer *s = NULL;
        int r;

        s = malloc(sizeof *s);
        if (!s)
                return -ENOMEM;
        *s = (MailServer){ .listen_fd = listen_fd };
        r = fd_nonblock(listen_fd, true);
        if (r < 0)
                return r;
        r = sd_event_new(&s->event);
        if (r < 0)
                return r;
        r = add_sources(s);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(s);
        return 0;
}

MailServer *mail_server_free(MailServer *s)
{
        while (s->jobs.first)
                job_free(s->jobs.first);
        sd_event_source_unref(s->listen);
        sd_event_source_unref(s->idle);
        sd_event_source_unref(s->pause);
        sd_event_unref(s->event);
        fd_close(s->listen_fd);
        free(s);
        return NULL;
}

int mail_server_run(MailServer *s)
{
        return sd_event_loop(s->event);
}
