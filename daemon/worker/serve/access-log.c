/* SPDX-License-Identifier: MIT */

/*
 * Where lines of the access log go: see access-log.h. The template opens the file, so that all workers of a
 * generation append to the same one, and each reload opens it anew: a file that was renamed meanwhile gets
 * the lines of the old generation's last requests and no more. The way to the journal is the log's.
 *
 * Nothing here waits. A disk may make write(2) wait all the same; no client does, who has had the answer.
 */

#include "worker/serve/access-log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/losses.h"
#include "base/messages.h"

/* Readable for the file's group, as logs are. */
#define FILE_MODE 0640

struct AccessLog {
        const Config *config;
        const char *pool;
        const char *file; /* NULL for the journal */
        AccessFormat *format;
        bool wants_cpu, wants_peer;

        int file_fd;
        pid_t pid, parent;

        bool torn; /* the file took only part of the last line */
        Losses losses;

        size_t n_headers;
        RequestHeader *headers; /* that the format names */
        char buffer[1 + ACCESS_LINE_MAX + 1];
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
        memset(log, 0, offsetof(AccessLog, buffer)); /* the buffer costs nothing before it is used */
        log->config = config;
        log->pool = pool;
        log->file = streq(config->access_log, "journal") ? NULL : config->access_log;
        log->file_fd = -EBADF;

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

bool access_log_wants_cpu(const AccessLog *log)
{
        return log && log->wants_cpu;
}

bool access_log_wants_peer(const AccessLog *log)
{
        return log && log->wants_peer;
}

/* ---- The journal ---- */

static int write_journal(AccessLog *log, const AccessEntry *e)
{
        const Params *params = e->request->params;
        char usec[32], status[16];
        const LogField fields[] = {
                { "PHP_SCRIPT", e->request->script },
                { "REQUEST_METHOD", params_get(params, "REQUEST_METHOD", NULL) },
                { "REQUEST_URI", params_get(params, "REQUEST_URI", NULL) },
                { "PHP_REQUEST_USEC", usec },
                { "HTTP_STATUS", status },
                {},
        };
        size_t n;

        n = access_line(log->format, e, log->buffer);
        if (n == 0)
                return 0;
        (void) snprintf(usec, sizeof usec, "%" PRIu64, e->duration);
        (void) snprintf(status, sizeof status, "%d", e->status);
        return log_journal(LOG_INFO, MESSAGE_ID(ACCESS), fields, log->buffer, n);
}

/* ---- The file ---- */

/*
 * One write, so that lines do not mix. One that was cut short is tried once more, which says why; a line
 * that stays torn is ended by this worker's next.
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
        char message[256], number[32];
        const LogField fields[] = { { "PHP_ACCESS_LOST", number }, {} };
        int n;

        (void) snprintf(number, sizeof number, "%" PRIu64, log->losses.n);
        n = snprintf(message, sizeof message, "%s lines of the access log%s%.128s were lost: %.64s", number,
                     log->file ? " " : "", log->file ? log->file : "", strerror(log->losses.error));
        if (!log_to_journal())
                (void) log_record(LOG_WARNING, 0, MESSAGE_ID(ACCESS_LOST), NULL, "%s", message);
        else if (log_journal(LOG_WARNING, MESSAGE_ID(ACCESS_LOST), fields, message, (size_t) n) < 0)
                return;
        losses_told(&log->losses);
}

/*
 * A journal that has just refused a line does not take what is to be told of it either. One that is not
 * there is where lines may go, but not where the log goes.
 */
static void count(AccessLog *log, int error)
{
        bool refused = error < 0 && !log->file && log_to_journal();

        if (error < 0)
                losses_add(&log->losses, error);
        if (!refused && losses_due(&log->losses))
                tell_lost(log);
}

bool access_log_has_lost(const AccessLog *log)
{
        return log && log->losses.n > 0;
}

bool access_log_tell_lost(AccessLog *log)
{
        if (access_log_has_lost(log))
                tell_lost(log);
        return !access_log_has_lost(log);
}

void access_log_detach(AccessLog *log)
{
        (void) access_log_tell_lost(log);
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
