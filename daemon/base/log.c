/* SPDX-License-Identifier: MIT */

/*
 * The log: see log.h. This file has the one piece of global state outside PHP, the log's own. A record that
 * cannot be written is lost: logging never fails its caller.
 */

#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static struct {
        bool journal;
        int max_level;
        char *context[LOG_CONTEXT_MAX]; /* "NAME=value" */
        size_t n_context;
} log_state = { .max_level = LOG_NOTICE };

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

void log_open(void)
{
        const char *target = getenv("PHP_POOL_LOG"), *e = getenv("JOURNAL_STREAM");
        unsigned long long device, inode;
        struct stat st;

        if (target) {
                log_state.journal = streq(target, "journal");
                return;
        }
        log_state.journal = e && sscanf(e, "%llu:%llu", &device, &inode) == 2 &&
                            fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
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

const char *log_context(size_t i)
{
        return i < log_state.n_context ? log_state.context[i] : NULL;
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

/* Writes to the journal; PRIORITY, identifier and message go first, as journalctl shows them. */
static int write_journal(int level, const char *message_id, const LogField *fields, const char *message)
{
        static const char identifier[] = "SYSLOG_IDENTIFIER=" LOG_IDENTIFIER;
        char buffers[2][64]; /* priority, message id */
        _cleanup_(freep) char *text = NULL;
        char *formatted[LOG_FIELDS_MAX];
        struct iovec iov[LOG_FIELDS_MAX + LOG_CONTEXT_MAX + 4];
        size_t n = 0, n_formatted = 0;
        int r;

        if (asprintf(&text, "MESSAGE=%s", message) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        (void) snprintf(buffers[0], sizeof buffers[0], "PRIORITY=%d", level);
        iov[n++] = (struct iovec) { text, strlen(text) };
        iov[n++] = (struct iovec) { buffers[0], strlen(buffers[0]) };
        iov[n++] = (struct iovec) { (char *) identifier, strlen(identifier) };
        if (message_id) {
                (void) snprintf(buffers[1], sizeof buffers[1], "MESSAGE_ID=%s", message_id);
                iov[n++] = (struct iovec) { buffers[1], strlen(buffers[1]) };
        }
        for (size_t i = 0; i < log_state.n_context; i++)
                iov[n++] = (struct iovec) { log_state.context[i], strlen(log_state.context[i]) };

        for (; fields && fields->name && n_formatted < LOG_FIELDS_MAX; fields++) {
                if (!fields->value ||
                    asprintf(&formatted[n_formatted], "%s=%s", fields->name, fields->value) < 0)
                        continue;
                iov[n++] = (struct iovec) { formatted[n_formatted], strlen(formatted[n_formatted]) };
                n_formatted++;
        }

        r = sd_journal_sendv(iov, (int) n);
        for (size_t i = 0; i < n_formatted; i++)
                free(formatted[i]);
        return r;
}

/* One write(2), so that the lines of several processes do not mix. */
static void write_stderr(int level, const char *message)
{
        _cleanup_(freep) char *line = NULL;
        int n;

        n = asprintf(&line, LOG_IDENTIFIER ": %s: %s\n", log_level_to_string(level), message);
        if (n < 0) {
                line = NULL;
                return;
        }
        if (write(STDERR_FILENO, line, (size_t) n) < 0)
                return;
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

        error = abs(error);
        if (level <= log_state.max_level) {
                errno = error;
                va_start(ap, format);
                (void) vsnprintf(message, sizeof message, format, ap);
                va_end(ap);

                /* Without a way to journald (no descriptor left, another root) there still is stderr. */
                if (!log_state.journal || write_journal(level, message_id, fields, message) < 0)
                        write_stderr(level, message);
        }

        errno = saved;
        return -error;
}
