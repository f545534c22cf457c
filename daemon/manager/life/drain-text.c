/* SPDX-License-Identifier: MIT */

/*
 * What the end of a generation waits for: see drain-text.h. It reads the book and the scoreboard, and
 * changes nothing.
 */

#include "manager/life/drain-text.h"

#include <stdio.h>
#include <time.h>

#include "base/utf8.h"

/* What a worker does that is waited for, in words: without a request, and with one, which follows. */
static const struct {
        const char *without, *with;
} doings[] = {
        [STAGE_FREE] = { "which ends", NULL },
        [STAGE_STARTING] = { "which starts", NULL },
        [STAGE_IDLE] = { "which has no request, and does not end", NULL },
        [STAGE_READING] = { "whose client has sent part of a request", NULL },
        [STAGE_RUNNING] = { "which runs a request", "which runs " },
        [STAGE_SENDING] = { "whose client does not take the answer",
                            "whose client does not take the answer to " },
        [STAGE_FINISHING] = { "which finishes a request", "which finishes " },
        [STAGE_ENDING] = { "which ends", NULL },
};
static_assert(ELEMENTSOF(doings) == _STAGE_MAX, "every stage has its words");

/*
 * Whether the worker is at the request of the record: while it reads a head, the record is of the last
 * request.
 */
static bool has_request(const WorkerRecord *record)
{
        return doings[record->stage].with && record->request_started > record->request_ended;
}

/* With the day, where it is not within one. */
static void format_time(usec_t t, usec_t now, char *buffer, size_t size)
{
        bool near = usec_sub(now, t) < 86400 * USEC_PER_SEC && usec_sub(t, now) < 86400 * USEC_PER_SEC;
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        struct tm tm;

        if (!localtime_r(&seconds, &tm) || strftime(buffer, size, near ? "%T" : "%F %T", &tm) == 0)
                buffer[0] = 0;
}

/* Copies what fits, as one printable line. */
static const char *printable(const char *from, char *buffer, size_t size)
{
        size_t n = strnlen(from, size - 1);

        memcpy(buffer, from, n);
        buffer[n] = 0;
        utf8_make_printable(buffer);
        return buffer;
}

static void format_request(const DrainWait *v, char *text, size_t size)
{
        char method[SCOREBOARD_METHOD_MAX], uri[128], script[160], since[32];

        format_time(v->since, v->now, since, sizeof since);
        printable(v->record.script, script, sizeof script);
        (void) snprintf(text, size, "%s %s%s%s%s since %s",
                        printable(v->record.method, method, sizeof method),
                        printable(v->record.uri, uri, sizeof uri), script[0] ? " (" : "", script,
                        script[0] ? ")" : "", since);
}

void drain_wait_format(const DrainWait *v, char text[DRAIN_TEXT_MAX])
{
        char who[448], what[384] = "", more[32] = "", until[32] = "";

        if (v->is_template)
                (void) snprintf(who, sizeof who, "PHP's template (pid %d), which ends", v->pid);
        else {
                const char *with = doings[v->record.stage].with, *without = doings[v->record.stage].without;

                if (v->since > 0)
                        format_request(v, what, sizeof what);
                (void) snprintf(who, sizeof who, "worker %d, %s%s", v->pid, v->since > 0 ? with : without,
                                what);
        }
        if (v->more > 0)
                (void) snprintf(more, sizeof more, ", and %zu more", v->more);
        if (v->until > 0)
                format_time(v->until, v->now, until, sizeof until);
        (void) snprintf(text, DRAIN_TEXT_MAX, "%s%s, %s%s", who, more,
                        v->until > 0 ? "until " : "without limit", until);
}

/* Since when a worker has had its request, CLOCK_MONOTONIC; USEC_INFINITY for none, which comes last. */
static usec_t busy_since(const WorkerRecord *record)
{
        return has_request(record) ? record->request_started : USEC_INFINITY;
}

bool drain_wait_look(const Generation *g, DrainWait *ret)
{
        usec_t monotonic = now_monotonic(), since = USEC_INFINITY;
        size_t n = 0;

        *ret = (DrainWait){ .now = now_realtime() };
        for (size_t i = 0; i < g->workers.n; i++) {
                WorkerRecord record;

                if (!worker_lives(&g->workers.slots[i]))
                        continue;
                (void) scoreboard_read(g->workers.board, i, &record);
                if (n++ > 0 && busy_since(&record) >= since)
                        continue;
                since = busy_since(&record);
                ret->record = record;
                ret->pid = g->workers.slots[i].pid;
        }
        if (since != USEC_INFINITY)
                ret->since = usec_sub(ret->now, usec_sub(monotonic, since));
        if (g->deadline > 0)
                ret->until = usec_add(ret->now, usec_sub(g->deadline, monotonic));
        ret->more = n > 0 ? n - 1 : 0;
        ret->is_template = n == 0;
        if (n == 0)
                ret->pid = template_pid(g->template);
        return n > 0 || g->template_state != TEMPLATE_DEAD;
}
