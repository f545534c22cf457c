/* SPDX-License-Identifier: MIT */

/*
 * The limits of requests are enforced: see enforce.h. limit_decide() decides what is to be done; here
 * it is done, and said in the journal. A signal cannot end another request than the one that was meant: the
 * manager condemns a request on the scoreboard, by its number, and a worker ends no other.
 */

#include "manager/pool/enforce.h"

#include <signal.h>
#include <stdio.h>

#include "base/log.h"
#include "base/messages.h"
#include "base/parse.h"
#include "ipc/messages.h"

/* With what is said of a script, and of a client that does not take the answer. */
static const struct {
        int signal;
        const char *script, *client;
} measures[] = {
        [LIMIT_INTERRUPT] = { IPC_INTERRUPT_SIGNAL, " and is ended", NULL },
        [LIMIT_TERMINATE] = { SIGTERM, " and does not end, its worker is sent SIGTERM",
                              ", its worker is sent SIGTERM" },
        [LIMIT_KILL] = { SIGKILL, " and still does not end, its worker is sent SIGKILL",
                         ", its worker does not end and is sent SIGKILL" },
};

static void take_measure(Generation *g, size_t slot, const WorkerRecord *record, LimitMeasure measure,
                         usec_t now)
{
        Worker *w = &g->workers.slots[slot];
        bool sending = record->stage == STAGE_SENDING; /* the script is over */
        char pid[16], age[32], text[PARSE_FORMAT_MAX];

        assert(measure > w->limit_measure && measure < ELEMENTSOF(measures));
        assert(!sending || measures[measure].client);
        assert(worker_lives(w));
        (void) snprintf(pid, sizeof pid, "%d", w->pid);
        (void) snprintf(age, sizeof age, "%llu",
                        (unsigned long long) usec_sub(now, record->request_started));
        (void) log_record(LOG_WARNING, 0, MESSAGE_ID(REQUEST_TERMINATED),
                          (LogField[]){
                                          { "PHP_WORKER_PID", pid },
                                          { "PHP_GENERATION", g->id_text },
                                          { "PHP_REQUEST_USEC", age },
                                          { "PHP_SCRIPT", record->script },
                                          { "REQUEST_METHOD", record->method },
                                          { "REQUEST_URI", record->uri },
                                          {},
                          },
                          "Worker %s: %s%s %s request.terminate_timeout = %s%s.", pid,
                          sending ? "the client does not take the answer to " : "",
                          record->script[0] ? record->script : "a request",
                          sending ? "within" : "takes longer than",
                          format_usec(text, g->config->request_terminate_timeout),
                          sending ? measures[measure].client : measures[measure].script);

        scoreboard_condemn(g->workers.board, slot, record->requests + 1);
        w->limit_measure = measure;
        w->limit_since = now;
        if (measure == LIMIT_KILL && w->killed == KILL_NONE)
                w->killed = KILL_TERMINATE;
        (void) kill(w->pid, measures[measure].signal);
}

/* The slow log is the template's to write: it knows what PHP's memory looks like. */
static void trace(Generation *g, size_t slot)
{
        Worker *w = &g->workers.slots[slot];
        int r;

        w->traced = true;
        r = template_trace(g->template, (uint32_t) slot, w->pid);
        if (r < 0)
                (void) log_warning_errno(r,
                                         "Failed to have a slow request of worker %d logged, ignoring: %m",
                                         w->pid);
}

/* Looks at one worker. When to look again, USEC_INFINITY for never. */
static usec_t check_worker(Generation *g, size_t slot, usec_t now, size_t *traced)
{
        Worker *w = &g->workers.slots[slot];
        WorkerRecord record;
        LimitVerdict verdict;
        LimitView view;
        usec_t begun;

        if (!worker_lives(w))
                return USEC_INFINITY;
        (void) scoreboard_read(g->workers.board, slot, &record);

        if (w->limit_request != record.requests + 1) {
                w->limit_request = record.requests + 1;
                w->traced = false;
                w->limit_measure = LIMIT_NONE;
        }

        /* The stage may be newer than the rest of the record, which is then of an earlier wait. */
        begun = record.request_started;
        if (record.stage == STAGE_SENDING)
                begun = MAX(begun, record.sending_started);

        view = (LimitView){
                .stage = record.stage,
                .age = usec_sub(now, begun),
                .traced = w->traced,
                .measure = w->limit_measure,
                .since = usec_sub(now, w->limit_since),
        };
        verdict = limit_decide(g->config, &view);
        if (verdict.trace) {
                trace(g, slot);
                (*traced)++;
        }
        if (verdict.measure != view.measure)
                take_measure(g, slot, &record, verdict.measure, now);
        return verdict.next;
}

static usec_t check_all(Generation *g, size_t *traced)
{
        usec_t now = now_monotonic(), next = USEC_INFINITY;

        for (size_t i = 0; i < g->workers.n; i++)
                next = MIN(next, check_worker(g, i, now, traced));
        return next;
}

size_t enforce_limits(Generation *g)
{
        size_t traced = 0;
        usec_t next;

        if (!g->limits_due)
                return 0;
        g->limits_due = false;
        next = check_all(g, &traced);
        if (next == USEC_INFINITY) {
                scoreboard_offer_timer(g->workers.board);
                next = check_all(g, &traced); /* what began before the offer */
                if (next != USEC_INFINITY && !scoreboard_claim_timer(g->workers.board))
                        return traced; /* and a worker has started it since */
        }
        if (next != USEC_INFINITY)
                (void) timer_start(g->limit_timer, next);
        return traced;
}
