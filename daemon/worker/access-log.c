/* SPDX-License-Identifier: MIT */

/*
 * Where lines of the access log go: see access-log.h. The template opens the file, so that all workers of a
 * generation append to the same one, and each reload opens it anew: a file that was renamed meanwhile gets
 * the lines of the old generation's last requests and no more. The socket to the journal is each worker's
 * own, since what is under way counts for its sender.
 *
 * Nothing here waits. A disk may make write(2) wait all the same; no client does, who has had the answer.
 */

#include "worker/access-log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/messages.h"

/* Readable for the file's group, as logs are. */
#define FILE_MODE 0640

/* The most of a field of a record that comes from a request. */
#define FIELD_MAX 8192U

struct AccessLog {
        const Config *config;
        const char *pool;
        const char *file; /* NULL for the journal */
        AccessFormat *format;
        bool wants_cpu, wants_peer;

        int file_fd;
        int journal_fd; /* opened when it is needed */
        const char *journal_path;
        pid_t pid, parent;

        bool torn;      /* the file took only part of the last line */
        uint64_t lost;  /* lines since that was told last */
        int lost_error; /* why, of the last one */
        usec_t told;    /* CLOCK_MONOTONIC, 0 for never */

        size_t n_headers;
        RequestHeader *headers; /* that the format names */
        char buffer[1 + ACCESS_LINE_MAX + 1];
        JournalRecord record;
};

/* ---- Life ---- */

static int name_headers(AccessLog *log)
{
        const AccessFormat *f = log->format;

        log->headers = calloc(f->n_pieces, sizeof *log->headers);
        if (!log->headers)
                return -ENOMEM;
        for (size_t i = 0; i < f->n_pieces; i++)
                if (f->pieces[i].code == ACCESS_HEADER)
                        log->headers[log->n_headers++].name = f->pieces[i].text;
        return 0;
}

int access_log_new(const Config *config, const char *pool, AccessLog **ret)
{
        _cleanup_(access_log_freep) AccessLog *log = NULL;
        char error[ACCESS_ERROR_MAX];
        int r;

        *ret = NULL;
        if (streq(config->access_log, "off"))
                return 0;

        log = malloc(sizeof *log);
        if (!log)
                return -ENOMEM;
        memset(log, 0, offsetof(AccessLog, buffer)); /* the buffers cost nothing before they are used */
        log->config = config;
        log->pool = pool;
        log->file = streq(config->access_log, "journal") ? NULL : config->access_log;
        log->file_fd = log->journal_fd = -EBADF;
        log->journal_path = JOURNAL_SOCKET;

        r = access_format_parse(config->access_format, error, &log->format);
        if (r >= 0)
                r = name_headers(log);
        if (r < 0)
                return r;
        log->wants_cpu = access_format_has(log->format, ACCESS_CPU) ||
                         access_format_has(log->format, ACCESS_CPU_USER) ||
                         access_format_has(log->format, ACCESS_CPU_SYSTEM);
        log->wants_peer = access_format_has(log->format, ACCESS_PEER);

        *ret = TAKE_PTR(log);
        return 0;
}

void access_log_free(AccessLog *log)
{
        if (!log)
                return;
        fd_close(log->file_fd);
        fd_close(log->journal_fd);
        free(log->headers);
        free(log->format);
        free(log);
}

/* Non-blocking, since it may be a pipe. */
int access_log_open(AccessLog *log, const char **ret_path)
{
        if (!log)
                return 0;

        tzset(); /* once, for all workers */
        log->parent = getppid();
        if (!log->file)
                return 0;
        log->file_fd = open(log->file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                            FILE_MODE);
        if (log->file_fd >= 0)
                return 0;
        *ret_path = log->file;
        return -errno;
}

void access_log_attach(AccessLog *log)
{
        if (log)
                log->pid = getpid();
}

void access_log_set_journal(AccessLog *log, const char *path)
{
        log->journal_path = path;
}

bool access_log_wants_cpu(const AccessLog *log)
{
        return log && log->wants_cpu;
}

bool access_log_wants_peer(const AccessLog *log)
{
        return log && log->wants_peer;
}

/* ---- The journal ---- */

static void add_field(AccessLog *log, const char *name, const char *value)
{
        if (value)
                journal_record_add(&log->record, name, value, MIN(strlen(value), (size_t) FIELD_MAX));
}

static _printf_(3, 4) void add_format(AccessLog *log, const char *name, const char *format, ...)
{
        char text[64];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        add_field(log, name, text);
}

/* What all records have. */
static void begin_record(AccessLog *log, const char *message_id, int level, const char *message, size_t size)
{
        const char *pair;

        log->record.size = 0;
        journal_record_add(&log->record, "MESSAGE", message, size);
        add_format(log, "PRIORITY", "%d", level);
        add_field(log, "SYSLOG_IDENTIFIER", LOG_IDENTIFIER);
        add_field(log, "MESSAGE_ID", message_id);
        for (size_t i = 0; (pair = log_context(i)); i++)
                journal_record_add_pair(&log->record, pair);
}

static int send_record(AccessLog *log)
{
        if (log->journal_fd < 0)
                log->journal_fd = journal_open();
        return log->journal_fd < 0 ? log->journal_fd
                                   : journal_send(log->journal_fd, log->journal_path, &log->record);
}

static int write_journal(AccessLog *log, const AccessEntry *e)
{
        const Params *params = e->request->params;
        size_t n;

        n = access_line(log->format, e, log->buffer);
        if (n == 0)
                return 0;
        begin_record(log, MESSAGE_ID(ACCESS), LOG_INFO, log->buffer, n);
        add_field(log, "PHP_SCRIPT", e->request->script);
        add_field(log, "REQUEST_METHOD", params_get(params, "REQUEST_METHOD", NULL));
        add_field(log, "REQUEST_URI", params_get(params, "REQUEST_URI", NULL));
        add_format(log, "PHP_REQUEST_USEC", "%" PRIu64, e->duration);
        add_format(log, "HTTP_STATUS", "%d", e->status);
        return send_record(log);
}

/* ---- The file ---- */

/*
 * One write, so that lines do not mix. One that was cut short is tried once more, which says why; a line
 * that stays torn is ended by the next.
 */
static int write_file(AccessLog *log, const AccessEntry *e)
{
        char *line = log->buffer + 1, *start = log->torn ? log->buffer : line;
        ssize_t written;
        size_t n;

        n = access_line(log->format, e, line);
        if (n == 0)
                return 0;
        line[n++] = '\n';
        log->buffer[0] = '\n';
        n += (size_t) (line - start);

        written = write(log->file_fd, start, n);
        if (written >= 0 && (size_t) written < n) {
                log->torn = true;
                start += written;
                n -= (size_t) written;
                written = write(log->file_fd, start, n);
        }
        if (written < 0)
                return -errno;
        log->torn = (size_t) written < n;
        return log->torn ? -ENOSPC : 0;
}

/* ---- What is lost ---- */

/* Nor is this waited for; what cannot be told now is told later. */
static void tell_lost(AccessLog *log)
{
        char message[256];
        int n;

        n = snprintf(message, sizeof message, "%" PRIu64 " lines of the access log%s%.128s were lost: %s",
                     log->lost, log->file ? " " : "", log->file ? log->file : "", strerror(log->lost_error));
        if (!log->file || log_to_journal()) {
                begin_record(log, MESSAGE_ID(ACCESS_LOST), LOG_WARNING, message,
                             MIN((size_t) n, sizeof message - 1));
                add_format(log, "PHP_ACCESS_LOST", "%" PRIu64, log->lost);
                if (send_record(log) < 0)
                        return;
        } else
                (void) log_record(LOG_WARNING, 0, MESSAGE_ID(ACCESS_LOST), NULL, "%s", message);
        log->told = now_monotonic();
        log->lost = 0;
}

static bool is_due(const AccessLog *log)
{
        return log->told == 0 || now_monotonic() >= usec_add(log->told, ACCESS_LOST_INTERVAL);
}

/* A journal that has just refused a line does not take what is to be told of it either. */
static void count(AccessLog *log, int error)
{
        if (error < 0) {
                log->lost++;
                log->lost_error = -error;
        }
        if (log->lost > 0 && (log->file || error >= 0) && is_due(log))
                tell_lost(log);
}

void access_log_detach(AccessLog *log)
{
        if (log && log->lost > 0)
                tell_lost(log);
}

/* ---- Requests ---- */

void access_log_begin(AccessLog *log, Request *request)
{
        if (!log)
                return;
        for (size_t i = 0; i < log->n_headers; i++)
                log->headers[i].value[0] = 0;
        request->wanted = log->headers;
        request->n_wanted = log->n_headers;
}

void access_log_write(AccessLog *log, AccessEntry *e)
{
        if (!log || access_suppressed(log->config->access_suppress_path, e->request, e->status))
                return;
        e->pool = log->pool;
        e->pid = log->pid;
        e->parent = log->parent;
        count(log, log->file ? write_file(log, e) : write_journal(log, e));
}
