/* SPDX-License-Identifier: MIT */

/*
 * The log: see log.h. This file has the one piece of global state outside PHP, the log's own. A record that
 * cannot be written is lost: logging never fails its caller, and only an error waits for the journal, as
 * long as base/grace.h allows.
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
#include "base/grace.h"
#include "base/journal.h"
#include "base/losses.h"
#include "base/messages.h"
#include "base/text.h"
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
        Grace grace;

        int stderr_fd;
        bool torn; /* it took only a part of the last write */
} log_state = { .max_level = LOG_NOTICE, .fd = -EBADF, .path = JOURNAL_SOCKET, .stderr_fd = STDERR_FILENO };

/* The record that is put together, and text on its way there: too large for the stack of a deep script. */
static JournalRecord record;
static char escaped[LOG_MESSAGE_MAX];

static const char *const level_names[] = {
        [LOG_EMERG] = "emerg",     [LOG_ALERT] = "alert",   [LOG_CRIT] = "crit", [LOG_ERR] = "error",
        [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice", [LOG_INFO] = "info", [LOG_DEBUG] = "debug",
};

const char *log_level_to_string(int level)
{
        return level >= 0 && level < (int) ELEMENTSOF(level_names) ? level_names[level] : NULL;
}

/*
 * The kernel counts records on their way for the socket that sent them, and losses are counted for the
 * process that has them: so a process that was forked gets its own of both. If it cannot get a socket, it
 * uses its parent's.
 */
static void own_socket(void)
{
        pid_t pid = getpid();
        int fd;

        if (log_state.pid == pid && log_state.fd >= 0)
                return;
        if (log_state.pid != pid) {
                log_state.losses = (Losses) {};
                log_state.grace = (Grace){};
        }
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

void log_set_stderr(int fd)
{
        assert(fd >= 0);
        log_state.stderr_fd = fd;
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
        assert(level >= LOG_EMERG && level <= LOG_DEBUG);
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

        assert(*name);

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
        journal_record_add(&record, name, escaped,
                           utf8_escape(value, size, /* lines= */ true, escaped, max));
}

static void make_record(int level, const char *message_id, const LogField *fields, const char *message,
                        size_t size)
{
        char priority[16];

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
}

/* Sends the record; one that is urgent may wait, as long as there is grace. 0 or -errno. */
static int send_record(bool urgent)
{
        Grace *g = &log_state.grace;
        usec_t began, wait;
        int r;

        r = journal_send(log_state.fd, log_state.path, &record, 0);
        if (r == -EAGAIN && urgent) {
                began = now_monotonic();
                wait = grace_left(g, began);
                if (wait > 0) {
                        r = journal_send(log_state.fd, log_state.path, &record, wait);
                        grace_use(g, began, now_monotonic(), r == -EAGAIN);
                }
        }
        if (r >= 0)
                grace_taken(g);
        return r;
}

int log_journal(int level, const char *message_id, const LogField *fields, const char *message, size_t size)
{
        own_socket();
        make_record(level, message_id, fields, message, size);
        return send_record(/* urgent= */ false);
}

void log_begin_request(void)
{
        grace_renew(&log_state.grace);
}

bool log_tell_lost(bool now)
{
        char message[128], number[32];
        int n;

        if (log_state.losses.n == 0)
                return true;
        own_socket(); /* they may be another's */
        if (log_state.losses.n == 0)
                return true;
        if (!now && !losses_due(&log_state.losses))
                return false;

        (void) snprintf(number, sizeof number, "%" PRIu64, log_state.losses.n);
        n = snprintf(message, sizeof message, "%s records of the log were lost: %.64s", number,
                     strerror(log_state.losses.error));
        make_record(LOG_WARNING, MESSAGE_ID(LOG_LOST), (LogField[]){ { "PHP_LOG_LOST", number }, {} },
                    message, (size_t) n);
        if (send_record(now) < 0)
                return false;
        losses_told(&log_state.losses);
        return true;
}

/* ---- Standard error ---- */

/* The text with what stands in front of each line: a new string, and its size. 0 or -ENOMEM. */
static int make_lines(int level, const char *text, size_t size, char **ret, size_t *ret_size)
{
        Text t;
        int r;

        r = text_open(&t);
        if (r < 0)
                return r;
        if (log_state.torn)
                fputc('\n', t.f);
        if (!log_state.journal)
                fprintf(t.f, LOG_IDENTIFIER ": %s: %.*s\n", log_level_to_string(level), (int) size, text);
        while (log_state.journal && size > 0) {
                const char *end = memchr(text, '\n', size);
                size_t n = end ? (size_t) (end - text) : size;

                fprintf(t.f, "<%d>%.*s\n", level, (int) n, text);
                text += n + (end != NULL);
                size -= n + (end != NULL);
        }
        r = text_close(&t, 0, ret);
        if (r >= 0)
                *ret_size = t.size;
        return r;
}

/*
 * One call, so that the lines of several processes do not mix. In the journal's place it is a stream of the
 * same journald: it is not waited for either, and each line has its level in sd-daemon(3)'s way.
 */
static int write_stderr(int level, const char *message)
{
        int flags = log_state.journal ? MSG_DONTWAIT : 0;
        _cleanup_(freep) char *lines = NULL;
        size_t size;
        ssize_t n;
        int r;

        size = utf8_escape(message, strlen(message), true, escaped, sizeof escaped);
        r = make_lines(level, escaped, size, &lines, &size);
        if (r < 0)
                return r;
        n = send(log_state.stderr_fd, lines, size, MSG_NOSIGNAL | flags);
        if (n < 0 && errno == ENOTSOCK)
                n = write(log_state.stderr_fd, lines, size);
        if (n < 0)
                return -errno;
        log_state.torn = (size_t) n < size;
        return log_state.torn ? -EAGAIN : 0;
}

/* ---- Records ---- */

/* There is a journal, which did not take a record. It does not go to stderr instead, which may be slower. */
static bool is_lost(int error)
{
        return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM || error == -EMSGSIZE;
}

static void log_write(int level, const char *message_id, const LogField *fields, const char *message)
{
        bool urgent = level <= LOG_ERR;
        int r;

        if (!log_state.journal) {
                (void) write_stderr(level, message);
                return;
        }
        own_socket();
        make_record(level, message_id, fields, message, strlen(message));
        r = send_record(urgent);
        if (r < 0 && !is_lost(r))
                r = write_stderr(level, message);
        if (r < 0)
                losses_add(&log_state.losses, r);
        else
                (void) log_tell_lost(urgent);
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

        assert(level >= LOG_EMERG && level <= LOG_DEBUG);

        error = abs(error);
        if (level <= log_state.max_level) {
                errno = error;
                va_start(ap, format);
                n = vsnprintf(message, sizeof message, format, ap);
                va_end(ap);
                if (n >= (int) sizeof message)
                        message[utf8_cut(message, sizeof message - 1)] = 0;

                log_write(level, message_id, fields, message);
        }

        errno = saved;
        return -error;
}
