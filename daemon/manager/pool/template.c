/* SPDX-License-Identifier: MIT */

/*
 * The template process: see template.h. What a child may inherit is decided here and nowhere else: the
 * descriptors of ipc/inherit.h, an environment without what systemd meant for the manager, default signals.
 */

#include "manager/pool/template.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "ipc/exit-status.h"

#define LINE_SIZE 4096

/*
 * A pipe holds 64 KB: whoever else still writes to it does not keep us from reading the dead one's last
 * words.
 */
#define LAST_READS_MAX 16

/*
 * Meant for the manager alone: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3), systemd.exec(5). The
 * directories are the unit's: an application that reads a variable of such a name means its own.
 */
static const char *const private_environment[] = {
        "NOTIFY_SOCKET",
        "LISTEN_PID",
        "LISTEN_FDS",
        "LISTEN_FDNAMES",
        "RUNTIME_DIRECTORY",
        "CACHE_DIRECTORY",
        "LOGS_DIRECTORY",
        "WATCHDOG_PID",
        "WATCHDOG_USEC",
        "FDSTORE",
        "MEMORY_PRESSURE_WATCH",
        "MEMORY_PRESSURE_WRITE",
        "MAINPID",
        "PHP_POOL_WORKER_DIR",
};

struct Template {
        pid_t pid;
        int channel;
        int stderr_fd;
        sd_event_source *channel_source;
        sd_event_source *stderr_source;
        template_message_t on_message;
        void *userdata;
        char *generation;
        char *executable;
        char line[LINE_SIZE]; /* of standard error, not yet complete */
        size_t n_line;
        char words[TEMPLATE_WORDS_MAX];
        size_t n_words;
};

pid_t template_pid(const Template *t)
{
        return t->pid;
}

const char *template_program(const Template *t)
{
        const char *slash = strrchr(t->executable, '/');

        return slash ? slash + 1 : t->executable;
}

void template_hear_out(Template *t)
{
        if (t->channel < 0)
                return;
        for (;;) {
                int fds[IPC_SPAWN_MAX], r;
                IpcMessage message;

                r = ipc_receive(t->channel, &message, fds);
                if (r == -EAGAIN)
                        return;
                if (r < 0) {
                        (void) log_error_errno(r,
                                               "Failed to understand the template (pid %d), killing it: %m",
                                               t->pid);
                        (void) kill(t->pid, SIGKILL);
                }
                if (r <= 0) { /* SIGCHLD says that it died, if it did: only the channel is closed here */
                        template_retire(t);
                        return;
                }
                if (message.type == IPC_SPAWN)
                        for (size_t i = 0; i < message.n; i++)
                                fd_close(fds[i]);
                t->on_message(t, &message, t->userdata);
        }
}

static int on_channel(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_,
                      void *userdata)
{
        template_hear_out(userdata);
        return 0;
}

/* Keeps the end of what was said, whole lines. */
static void remember_words(Template *t, const char *line)
{
        size_t n = strlen(line) + 1;

        if (n >= sizeof t->words)
                return;
        while (t->n_words + n >= sizeof t->words) {
                char *end = memchr(t->words, '\n', t->n_words);
                size_t first = end ? (size_t) (end - t->words) + 1 : t->n_words;

                memmove(t->words, t->words + first, t->n_words - first);
                t->n_words -= first;
        }
        memcpy(t->words + t->n_words, line, n - 1);
        t->n_words += n;
        t->words[t->n_words - 1] = '\n';
}

static void emit_line(Template *t)
{
        t->line[t->n_line] = 0;
        if (t->n_line > 0) {
                remember_words(t, t->line);
                (void) log_record(LOG_WARNING, 0, NULL,
                                  (LogField[]) { { "PHP_GENERATION", t->generation }, {} }, "%s", t->line);
        }
        t->n_line = 0;
}

/* Reads some of standard error. The number of bytes, 0 at its end, -errno. */
static ssize_t read_stderr(Template *t)
{
        char buffer[LINE_SIZE];
        ssize_t n;

        n = read(t->stderr_fd, buffer, sizeof buffer);
        if (n < 0)
                return -errno;

        for (ssize_t i = 0; i < n; i++) {
                if (buffer[i] == '\n' || t->n_line == LINE_SIZE - 1)
                        emit_line(t);
                if (buffer[i] != '\n' && buffer[i] != 0)
                        t->line[t->n_line++] = buffer[i];
        }
        return n;
}

/* One read at a time: who writes without end must not keep the loop from anything else. */
static int on_stderr(sd_event_source *s, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
        if (read_stderr(userdata) == 0)
                (void) sd_event_source_set_enabled(s, SD_EVENT_OFF);
        return 0;
}

const char *template_last_words(Template *t)
{
        for (size_t i = 0; i < LAST_READS_MAX && read_stderr(t) > 0; i++)
                ;
        emit_line(t);
        t->words[t->n_words > 0 ? t->n_words - 1 : 0] = 0;
        return t->words;
}

/*
 * The unit sets what names a locale to nothing, so that the machine's (locale.conf(5)) does not reach
 * scripts and a drop-in's does: what is empty is as if it were not set, which PHP-FPM's scripts find.
 */
static void drop_empty_locale(void)
{
        for (char **p = environ; *p;) {
                _cleanup_(freep) char *name = strndup(*p, strcspn(*p, "="));
                bool locale = name &&
                              (startswith(name, "LC_") || streq(name, "LANG") || streq(name, "LANGUAGE"));

                if (locale && streq(*p + strlen(name), "=") && unsetenv(name) == 0)
                        p = environ;
                else
                        p++;
        }
}

static int child_environment(const char *generation)
{
        const char *target = log_to_journal() ? "journal" : "stderr";

        for (size_t i = 0; i < ELEMENTSOF(private_environment); i++)
                (void) unsetenv(private_environment[i]);
        drop_empty_locale();
        if (setenv(INHERIT_GENERATION, generation, 1) < 0 || setenv("PHP_POOL_LOG", target, 1) < 0)
                return -errno;
        return 0;
}

static void child_signals(void)
{
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void) signal(i, SIG_DFL);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only returns where it fails: -errno. */
static int execute(const char *executable, char **argv, const char *through)
{
        char *through_argv[INHERIT_ARGV_FIRST + INHERIT_MAX + 2] = { (char *) through };

        if (!through) {
                (void) execve(executable, argv, environ);
                return -errno;
        }
        if (text_format(&through_argv[1], INHERIT_THROUGH "%s", executable) < 0)
                return -ENOMEM;
        for (size_t i = 1; argv[i]; i++)
                through_argv[i + 1] = argv[i];
        (void) execve(through, through_argv, environ);
        return -errno;
}

/* In the child: leaves what is ours and becomes the template. */
static _noreturn_ void child_exec(const char *executable, char **argv, const Inherit *inherit, int stderr_fd,
                                  const char *generation)
{
        int keep[INHERIT_MAX], r;
        size_t n;

        child_signals();
        n = inherit_list(inherit, keep);
        r = dup2(stderr_fd, STDERR_FILENO) < 0 || dup2(stderr_fd, STDOUT_FILENO) < 0 ? -errno : 0;
        if (r >= 0)
                r = fd_null(STDIN_FILENO);
        if (r >= 0)
                r = fd_close_all_except(keep, n);
        for (size_t i = 0; i < n && r >= 0; i++)
                r = fd_cloexec(keep[i], false);
        if (r >= 0)
                r = fd_set_limit(inherit->descriptor_limit);
        if (r >= 0)
                r = child_environment(generation);
        if (r >= 0)
                r = execute(executable, argv, inherit->through);

        errno = -r;
        dprintf(STDERR_FILENO, "Failed to execute %s: %m\n", inherit->through ?: executable);
        _exit(EXIT_STATUS_NOT_EXECUTED);
}

static int template_fork(Template *t, const char *pool, const Inherit *inherit)
{
        _cleanup_(fd_closep) int write_end = -EBADF, channel = -EBADF;
        Inherit complete = *inherit;
        char **argv = NULL;
        int pair[2], r;

        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        t->stderr_fd = pair[0];
        write_end = pair[1];
        r = fd_nonblock(t->stderr_fd, true);
        if (r < 0)
                return r;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        t->channel = pair[0];
        channel = pair[1];
        r = fd_nonblock(t->channel, true);
        if (r < 0)
                return r;

        complete.channel = channel;
        r = inherit_format(&complete, t->executable, pool, &argv);
        if (r < 0)
                return r;

        t->pid = fork();
        if (t->pid == 0)
                child_exec(t->executable, argv, &complete, write_end, t->generation);
        r = t->pid < 0 ? -errno : 0;
        inherit_argv_free(argv);
        return r;
}

static int watch_template(Template *t, sd_event *event)
{
        int r;

        r = sd_event_add_io(event, &t->channel_source, t->channel, EPOLLIN, on_channel, t);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(t->channel_source, "template-channel");

        r = sd_event_add_io(event, &t->stderr_source, t->stderr_fd, EPOLLIN, on_stderr, t);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(t->stderr_source, "template-stderr");
        return sd_event_source_set_priority(t->stderr_source, SD_EVENT_PRIORITY_IDLE);
}

int template_start(const TemplateOwner *owner, const char *executable, const Inherit *inherit,
                   Template **ret)
{
        _cleanup_(template_freep) Template *t = NULL;
        int r;

        assert(owner->event && owner->pool && owner->generation && owner->on_message);

        t = malloc(sizeof *t);
        if (!t)
                return -ENOMEM;
        *t = (Template) {
                .pid = -1,
                .channel = -EBADF,
                .stderr_fd = -EBADF,
                .on_message = owner->on_message,
                .userdata = owner->userdata,
        };
        t->generation = strdup(owner->generation);
        t->executable = strdup(executable);
        if (!t->generation || !t->executable)
                return -ENOMEM;

        r = template_fork(t, owner->pool, inherit);
        if (r < 0)
                return r;
        r = watch_template(t, owner->event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(t);
        return 0;
}

void template_retire(Template *t)
{
        t->channel_source = sd_event_source_disable_unref(t->channel_source);
        t->channel = fd_close(t->channel);
}

void template_free(Template *t)
{
        if (!t)
                return;
        sd_event_source_disable_unref(t->channel_source);
        sd_event_source_disable_unref(t->stderr_source);
        fd_close(t->channel);
        fd_close(t->stderr_fd);
        free(t->generation);
        free(t->executable);
        free(t);
}

int template_spawn(Template *t, const uint32_t *slots, const int *retire_fds, size_t n)
{
        IpcMessage message = { .type = IPC_SPAWN, .n = (uint32_t) n };

        assert(n > 0 && n <= IPC_SPAWN_MAX);
        for (size_t i = 0; i < n; i++)
                message.workers[i].slot = slots[i];
        return ipc_send(t->channel, &message, retire_fds, n);
}

int template_trace(Template *t, uint32_t slot, pid_t pid)
{
        IpcMessage message = { .type = IPC_TRACE, .n = 1, .workers = { { .slot = slot, .pid = pid } } };

        assert(pid > 1);
        return ipc_send(t->channel, &message, NULL, 0);
}
