/* SPDX-License-Identifier: MIT */

/*
 * One record in the journal for a request that is slow: which it is, from the scoreboard, and where its
 * script is, from its worker's memory. When a request is slow the manager decides; it has no PHP, so the
 * template writes this. The worker takes no part in it and is not disturbed.
 */

#include "worker/slowlog.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/messages.h"
#include "base/utf8.h"
#include "worker/php/backtrace.h"

/* Copies out what the worker runs; false where it runs nothing, or is not that worker. */
static bool read_running(const WorkerContext *c, uint32_t slot, pid_t pid, WorkerRecord *ret)
{
        if (slot >= scoreboard_size(c->board))
                return false;
        (void) scoreboard_read(c->board, slot, ret);
        return ret->pid == pid && (ret->stage == STAGE_RUNNING || ret->stage == STAGE_FINISHING);
}

static void write_record(const WorkerRecord *record, const char *frames, const char *reason)
{
        usec_t duration = usec_sub(now_monotonic(), record->request_started);
        char method[SCOREBOARD_METHOD_MAX], uri[SCOREBOARD_URI_MAX], script[SCOREBOARD_SCRIPT_MAX];
        char pid[16], usec[32];
        const LogField fields[] = {
                { "PHP_WORKER_PID", pid },
                { "PHP_SCRIPT", record->script },
                { "REQUEST_METHOD", record->method },
                { "REQUEST_URI", record->uri },
                { "PHP_REQUEST_USEC", usec },
                { "PHP_BACKTRACE", *frames ? frames : NULL },
                {},
        };

        (void) snprintf(pid, sizeof pid, "%d", record->pid);
        (void) snprintf(usec, sizeof usec, "%" PRIu64, duration);
        /* In the message each is one line; the fields have them as they are. */
        utf8_make_printable(strcpy(method, record->method));
        utf8_make_printable(strcpy(uri, record->uri));
        utf8_make_printable(strcpy(script, record->script));

        (void) log_record(LOG_WARNING, 0, MESSAGE_ID(SLOW_REQUEST), fields,
                          "Slow request: %s %s has run for %" PRIu64 ".%03" PRIu64 " s in worker %s\n"
                          "script_filename = %s\n%s%s",
                          method, uri, duration / USEC_PER_SEC, duration % USEC_PER_SEC / USEC_PER_MSEC, pid,
                          script, *reason ? "No backtrace: " : frames, reason);
}

void slowlog_trace(const WorkerContext *c, uint32_t slot, pid_t pid)
{
        _cleanup_(backtrace_freep) Backtrace *backtrace = NULL;
        const char *reason = "";
        WorkerRecord record, after;
        int r;

        if (!read_running(c, slot, pid, &record)) {
                log_debug("Worker %d has ended the request that was slow.", pid);
                return;
        }

        r = memory_fds_find(c->memories, slot, pid);
        if (r >= 0)
                r = backtrace_read(r, c->config->request_slowlog_trace_depth, &backtrace);
        if (!read_running(c, slot, pid, &after) || after.request_started != record.request_started)
                reason = "the request has ended meanwhile";
        else if (r == -ENODATA)
                reason = "no script runs";
        else if (r == -ENOENT)
                reason = "the worker could not open its memory when it started";
        else if (r < 0)
                reason = strerror(-r);
        write_record(&record, *reason ? "" : backtrace->text, reason);
}
