/* SPDX-License-Identifier: MIT */

/*
 * One message: see run.h. This process is root's and handles what a script has sent, so it does little: it
 * reads one message of bounded size, compares its arguments with a table, and never reads, writes or looks
 * at the descriptors that came with it. Those are for sendmail, in a child that has become the peer before
 * it touches them. Descendants that sendmail leaves behind become children of this process, which waits
 * for them.
 */

#include "sendmail/run.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/messages.h"
#include "sendmail/arguments.h"
#include "sendmail/unit.h"

/* Where sendmail is, in this order. */
static const char *const programs[] = { "/usr/sbin/sendmail", "/usr/lib/sendmail" };

/* How often processes that do not end are killed again. */
#define KILL_AGAIN_USEC (100 * USEC_PER_MSEC)

typedef struct Run {
        int connection; /* negative once the client is gone */
        int signals;    /* signalfd: SIGCHLD, SIGTERM */
        pid_t sendmail;
        int status; /* of waitpid(2), once it has ended */
        bool asked; /* SIGTERM was sent, SIGKILL is next */
        bool late;  /* it took longer than MAIL_RUN_USEC */
        usec_t deadline;
} Run;

/* ---- Answers ---- */

void mail_answer(int connection, const Peer *peer, int status, const char *message_id, const char *text)
{
        MailReply reply = mail_reply(MAIL_DONE, status, message_id != NULL, text);
        char uid[16], pid[16];
        _cleanup_(freep) char *pool = unit_pool(peer->unit);
        /*
         * Names the unit, as root may, so that journalctl -u shows the record with those of the unit: this
         * process ends at once, so journald may not find out its unit.
         */
        LogField fields[] = { { "PHP_MAIL_UID", uid },
                              { "PHP_MAIL_PID", pid },
                              { "OBJECT_SYSTEMD_UNIT", peer->unit ?: "php-pool-sendmail.service" },
                              { "PHP_POOL", pool },
                              {} };

        if (message_id) {
                (void) snprintf(uid, sizeof uid, "%u", peer->uid);
                (void) snprintf(pid, sizeof pid, "%d", peer->pid);
                (void) log_record(LOG_ERR, 0, message_id, fields, "User %s cannot send mail: %s", uid, text);
        }
        (void) send(connection, &reply, sizeof reply, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- Sendmail's process ---- */

/* Finds sendmail; NULL and the reason where there is none. */
static const char *find_program(const char **ret_why)
{
        struct stat ours, st;
        bool known = stat(PHP_POOL_SENDMAIL_PATH, &ours) >= 0;

        *ret_why = "there is no /usr/sbin/sendmail on this machine. Install a mail server (postfix, exim4, "
                   "msmtp-mta), or set sendmail_path to a program that speaks SMTP.";
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                if (stat(programs[i], &st) < 0)
                        continue;
                if (!known || st.st_dev != ours.st_dev || st.st_ino != ours.st_ino)
                        return programs[i];
                *ret_why = "/usr/sbin/sendmail is php-pool-sendmail itself: a mail server has to be there.";
        }
        return NULL;
}

/*
 * Runs in the child: becomes the peer, takes its descriptors, executes sendmail. Reports on standard
 * error.
 */
_noreturn_ static void become_sendmail(const Peer *peer, const char *program, char **argv,
                                       const int fds[MAIL_FDS])
{
        char **environment = NULL;
        sigset_t none;
        int r;

        (void) setsid();
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) umask(022);

        r = peer_environment(peer, &environment);
        if (r < 0)
                _exit(EX_OSERR);
        r = peer_become(peer);
        if (r < 0) {
                (void) log_error_errno(r, "sendmail cannot run as user %u: %m", peer->uid);
                _exit(EX_OSERR);
        }
        if (chdir("/") < 0)
                _exit(EX_OSERR);
        for (int i = 0; i < MAIL_FDS; i++)
                if (dup2(fds[i], i) < 0)
                        _exit(EX_OSERR);
        if (fd_close_all_except(NULL, 0) < 0)
                _exit(EX_OSERR);
        (void) execve(program, argv, environment);
        (void) dprintf(STDERR_FILENO, "php-pool-sendmail: %s cannot be run: %s\n", program, strerror(errno));
        _exit(EX_UNAVAILABLE);
}

/* Signals sendmail and the processes that are still in its session. */
static void signal_sendmail(const Run *run, int signo)
{
        if (kill(-run->sendmail, signo) < 0)
                (void) kill(run->sendmail, signo);
}

/* Waits for SIGCHLD, SIGTERM, the client or the deadline; *ret_ended says whether SIGTERM came. */
static void wait_event(Run *run, bool *ret_ended)
{
        struct pollfd fds[] = { { .fd = run->signals, .events = POLLIN },
                                { .fd = run->connection, .events = POLLIN } };
        usec_t left = usec_sub(run->deadline, now_monotonic());
        struct timespec ts = { .tv_sec = (time_t) (left / USEC_PER_SEC),
                               .tv_nsec = (long) (left % USEC_PER_SEC) * 1000 };
        struct signalfd_siginfo info;

        *ret_ended = false;
        if (ppoll(fds, ELEMENTSOF(fds), &ts, NULL) <= 0)
                return;
        while (read(run->signals, &info, sizeof info) == (ssize_t) sizeof info)
                if (info.ssi_signo == SIGTERM)
                        *ret_ended = true;
        if (fds[1].revents)
                run->connection = fd_close(run->connection);
}

/* Reaps children; true when sendmail is one of them. The others are of its background. */
static bool reap_sendmail(Run *run)
{
        int status;
        pid_t pid;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
                if (pid == run->sendmail) {
                        run->status = status;
                        run->sendmail = 0;
                }
        return run->sendmail == 0;
}

/* Ends sendmail where its client is gone or its time is over, as the death of its caller would. */
static void end_sendmail(Run *run, usec_t now)
{
        bool orphaned = run->connection < 0;

        if (run->asked ? now < run->deadline : !orphaned && now < run->deadline)
                return;
        run->late = !orphaned;
        signal_sendmail(run, run->asked ? SIGKILL : SIGTERM);
        run->asked = true;
        run->deadline = usec_add(now, MAIL_KILL_USEC);
}

static void wait_sendmail(Run *run)
{
        bool ended;

        run->deadline = usec_add(now_monotonic(), MAIL_RUN_USEC);
        while (!reap_sendmail(run)) {
                wait_event(run, &ended);
                end_sendmail(run, now_monotonic());
        }
}

/* ---- What it leaves in the background ---- */

/* Signals the children of this process. */
static void signal_children(int signo)
{
        FILE *f = fopen("/proc/thread-self/children", "re");
        pid_t pid;

        if (!f)
                return;
        while (fscanf(f, "%d", &pid) == 1)
                (void) kill(pid, signo);
        (void) fclose(f);
}

/*
 * Waits until all children are gone. When a child is killed, its own children become ours, and are killed
 * next.
 */
static void wait_for_descendants(Run *run)
{
        bool ended, asked = false;
        usec_t now;

        run->deadline = usec_add(now_monotonic(), MAIL_LINGER_USEC);
        for (;;) {
                (void) reap_sendmail(run);
                if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
                        return;
                wait_event(run, &ended);
                now = now_monotonic();
                if (now < run->deadline && !(ended && !asked))
                        continue;
                signal_children(asked ? SIGKILL : SIGTERM);
                run->deadline = usec_add(now, asked ? KILL_AGAIN_USEC : MAIL_KILL_USEC);
                asked = true;
        }
}

/* ---- The message ---- */

/* Receives the request; *ret_data has to outlive *ret_argv, and both are the caller's. 0 or -errno. */
static int receive_request(int connection, char **ret_data, char ***ret_argv, int fds[MAIL_FDS])
{
        struct pollfd fd = { .fd = connection, .events = POLLIN };
        _cleanup_(freep) char *data = malloc(MAIL_REQUEST_MAX);
        size_t n_fds;
        ssize_t n;
        int r;

        if (!data)
                return -ENOMEM;
        r = poll(&fd, 1, (int) (MAIL_REQUEST_USEC / USEC_PER_MSEC));
        if (r <= 0)
                return r < 0 ? -errno : -ETIMEDOUT;
        n = fd_receive(connection, data, MAIL_REQUEST_MAX, fds, MAIL_FDS, &n_fds);
        if (n < 0)
                return (int) n;
        r = n_fds == MAIL_FDS ? mail_request_decode(data, (size_t) n, ret_argv) : -EBADMSG;
        if (r < 0)
                return r;
        /* The client may have gone meanwhile, and told its caller that nothing was sent. */
        if (poll(&fd, 1, 0) > 0)
                return -ECONNRESET;
        *ret_data = TAKE_PTR(data);
        return 0;
}

/*
 * Reads the message and starts sendmail for it. False where it was answered already, or the client is
 * gone.
 */
static bool start_sendmail(Run *run, const Peer *peer)
{
        _cleanup_(freep) char *data = NULL;
        _cleanup_(freep) char **argv = NULL;
        int fds[MAIL_FDS] = { -EBADF, -EBADF, -EBADF };
        char reason[MAIL_REASON_MAX];
        const char *program, *why;

        if (receive_request(run->connection, &data, &argv, fds) < 0)
                return false;
        if (arguments_refuse(argv + 1, reason)) {
                mail_answer(run->connection, peer, EX_USAGE, MESSAGE_ID(MAIL_REFUSED), reason);
                return false;
        }
        program = find_program(&why);
        if (!program) {
                mail_answer(run->connection, peer, EX_UNAVAILABLE, MESSAGE_ID(MAIL_FAILED), why);
                return false;
        }

        argv[0] = (char *) program;
        run->sendmail = fork();
        if (run->sendmail == 0)
                become_sendmail(peer, program, argv, fds);
        if (run->sendmail < 0) {
                mail_answer(run->connection, peer, EX_UNAVAILABLE, MESSAGE_ID(MAIL_FAILED),
                            "the system has no room for another process.");
                return false;
        }
        for (int i = 0; i < MAIL_FDS; i++)
                fd_close(fds[i]);
        return true;
}

/* Tells the client how sendmail has ended. */
static void report_end(const Run *run, const Peer *peer)
{
        char text[128];

        if (WIFEXITED(run->status)) {
                mail_answer(run->connection, peer, WEXITSTATUS(run->status), NULL, NULL);
                return;
        }
        if (run->late)
                (void) snprintf(text, sizeof text, "sendmail took more than an hour and was ended.");
        else
                (void) snprintf(text, sizeof text, "sendmail was killed by signal %d.",
                                WTERMSIG(run->status));
        mail_answer(run->connection, peer, EX_SOFTWARE, MESSAGE_ID(MAIL_FAILED), text);
}

void mail_run(int connection, int running, const Peer *peer)
{
        Run run = { .connection = connection };
        sigset_t signals;

        (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
        (void) sigemptyset(&signals);
        (void) sigaddset(&signals, SIGCHLD);
        (void) sigaddset(&signals, SIGTERM);
        (void) sigprocmask(SIG_SETMASK, &signals, NULL);
        run.signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        if (run.signals < 0)
                return;
        if (start_sendmail(&run, peer)) {
                wait_sendmail(&run);
                report_end(&run, peer);
        }
        run.connection = fd_close(run.connection);
        fd_close(running);
        wait_for_descendants(&run);
}
