/* SPDX-License-Identifier: MIT */

/*
 * The log: see log.h. This file has the one piece of global state outside PHP, the log's own. A record that
 * cannot be written is lost: logging never fails its caller, and never waits for the journal.
 *
 * There is one socket to the journal, opened before descriptors run out and closed by execve(2), so that
 * programs which a script starts do not have it.
 */

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/journal.h"
#include "base/losses.h"
#include "base/messages.h"
#include "base/utf8.h"

static struct {
        bool journal;
        int max_level;
        char *context[LOG_CONTEXT_MAX]; /* "NAME=value" */
        size_t n_context;

        int fd;           /* to the journal; negative for none yet */
        pid_t pid;        /* the process that it is of */
        const char *path; /* where it sends to */
        Losses losses;
} log_state = { .max_level = LOG_NOTICE, .fd = -EBADF, .path = JOURNAL_SOCKET };

/* That is being put together: too large for the stack of a script that is deep in calls. */
static JournalRecord record;

static const char *const level_names[] = {
        [LOG_EMERG] = "emerg",     [LOG_ALERT] = "alert",   [LOG_CRIT] = "crit", [LOG_ERR] = "error",
        [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

const char *log_level_to_string(int level)
{
        return level >= 0 && level < (int) ELEMENTSOF(level_names) ? level_names[level] : NULL;
}

int log_level_from_string(const char *s)
{
        for (size_t i = 0; i < ELEMENTSOF(level_names); i++)
                if (streq(s, level_names[i]))
                        return (int) i;
        return -EINVAL;
}

/*
 * What is under way counts for the socket that it was sent by, and what was lost for who lost it: a process
 * that was forked has its own of both. Where it can have no socket, its parent's does.
 */
static void own_socket(void)
{
        pid_t pid = getpid();
        int fd;

        if (log_state.pid == pid && log_state.fd >= 0)
                return;
        if (log_state.pid != pid)
                log_state.losses = (Losses) {};
        log_state.pid = pid;

        fd = journal_open();
        if (fd < 0)
                return;
        fd_close(log_state.fd);
        log_state.fd = fd;
}

void log_open(void)
{
        const char *target = getenv("PHP_POOL_LOG"), *e = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (target)
                log_state.journal = streq(target, "journal");
        else
                log_state.journal = e && sscanf(e, "%llu:%llu", &device, &inode) == 2 &&
                                    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
                                    st.st_ino == inode;
        if (log_state.journal)
                own_socket();
}

void log_set_journal(const char *path)
{
        log_state.path = path;
}

bool log_to_journal(void)
{
        return log_state.journal;
}

void log_set_max_level(int level)
{
        log_state.max_level = level;
}

int log_get_max_level(void)
{
        return log_state.max_level;
}

int log_set_context(const char *name, const char *value)
{
        size_t n = strlen(name);
        char *field;

        if (asprintf(&field, "%s=%s", name, value) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < log_state.n_context; i++)
                if (strncmp(log_state.context[i], field, n + 1) == 0) {
                        free(log_state.context[i]);
                        log_state.context[i] = field;
                        return 0;
                }

        if (log_state.n_context == LOG_CONTEXT_MAX) {
                free(field);
                return -ENOSPC;
        }
        log_state.context[log_state.n_context++] = field;
        return 0;
}

/* ---- The journal ---- */

static void add_field(const char *name, const char *value, size_t size, size_t max)
{
        journal_record_add(&record, name, value, size > max ? utf8_cut(value, max) : size);
}

int log_journal(int level, const char *message_id, const LogField *fields, const char *message, size_t size)
{
        char priority[16];

        own_socket();
        (void) snprintf(priority, sizeof priority, "PRIORITY=%d", level);

        record.size = 0;
        add_field("MESSAGE", message, size, LOG_MESSAGE_MAX);
        journal_record_add_pair(&record, priority);
        journal_record_add_pair(&record, "SYSLOG_IDENTIFIER=" LOG_IDENTIFIER);
        if (message_id)
                add_field("MESSAGE_ID", message_id, strlen(message_id), LOG_FIELD_MAX);
        for (size_t i = 0; i < log_state.n_context; i++)
                journal_record_add_pair(&record, log_state.context[i]);
        for (; fields && fields->name; fields++)
                if (fields->value)
                        add_field(fields->name, fields->value, strlen(fields->value), LOG_FIELD_MAX);
        return journal_send(log_state.fd, log_state.path, &record);
}

void log_tell_lost(bool last)
{
        char message[128], number[32];
        int n;

        if (log_state.losses.n == 0)
                return;
        own_socket(); /* they may be another's */
        if (log_state.losses.n == 0 || !(last || losses_due(&log_state.losses)))
                return;

        (void) snprintf(number, sizeof number, "%" PRIu64, log_state.losses.n);
        n = snprintf(message, sizeof message, "%s records of the log were lost: %.64s", number,
                     strerror(log_state.losses.error));
        if (log_journal(LOG_WARNING, MESSAGE_ID(LOG_LOST), (LogField[]){ { "PHP_LOG_LOST", number }, {} },
                        message, (size_t) n) >= 0)
                losses_told(&log_state.losses);
}

/* ---- Standard error ---- */

/*
 * One call, so that the lines of several processes do not mix. In the journal's place it is not waited for
 * either: it may be a stream to the same journald.
 */
static int write_stderr(int level, const char *message)
{
        int n, flags = log_state.journal ? MSG_DONTWAIT : 0;
        _cleanup_(freep) char *line = NULL;
        ssize_t written;

        n = asprintf(&line, LOG_IDENTIFIER ": %s: %s\n", log_level_to_string(level), message);
        if (n < 0) {
                line = NULL;
                return -ENOMEM;
        }
        written = send(STDERR_FILENO, line, (size_t) n, MSG_NOSIGNAL | flags);
        if (written < 0 && errno == ENOTSOCK)
                written = write(STDERR_FILENO, line, (size_t) n);
        return written < 0 ? -errno : 0;
}

/* ---- Records ---- */

/* There is a journal, which did not take a record. It does not go to stderr instead, which may be slower. */
static bool is_lost(int error)
{
        return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM || error == -EMSGSIZE;
}

static void write_record(int level, const char *message_id, const LogField *fields, const char *message)
{
        int r;

        if (!log_state.journal) {
                (void) write_stderr(level, message);
                return;
        }
        r = log_journal(level, message_id, fields, message, strlen(message));
        if (r < 0 && !is_lost(r))
                r = write_stderr(level, message);
        if (r < 0)
                losses_add(&log_state.losses, r);
        else
                log_tell_lost(/* last= */ false);
}

bool log_is_due(usec_t *last, usec_t interval)
{
        usec_t now = now_monotonic();

        if (*last > 0 && now < usec_add(*last, interval))
                return false;
        *last = now;
        return true;
}

int log_record(int level, int error, const char *message_id, const LogField *fields, const char *format, ...)
{
        char message[LOG_MESSAGE_MAX];
        int saved = errno;
        va_list ap;
        int n;

        error = abs(error);
        if (level <= log_state.max_level) {
                errno = error;
                va_start(ap, format);
                n = vsnprintf(message, sizeof message, format, ap);
                va_end(ap);
                if (n >= (int) sizeof message)
                        message[utf8_cut(message, sizeof message - 1)] = 0;

                write_record(level, message_id, fields, message);
        }

        errno = saved;
        return -error;
}
