/* SPDX-License-Identifier: MIT */

/*
 * The worker's side of the scoreboard: see report.h. A slot has one writer, this one. It costs no system
 * call but for the one that wakes the manager, and that only where it asked for it.
 */

#include "worker/serve/report.h"

#include <sys/eventfd.h>

#include "base/parse.h"

void report_stage(const Report *r, Stage stage)
{
        if (scoreboard_set_stage(r->board, r->slot, stage))
                (void) eventfd_write(r->wake_fd, 1);
}

/* Cuts what is too long. */
static void copy_text(char *to, size_t size, const char *from)
{
        size_t n = from ? strnlen(from, size - 1) : 0;

        if (n > 0)
                memcpy(to, from, n);
        to[n] = 0;
}

void report_request(const Report *r, const Params *params)
{
        const char *length = params_get(params, "CONTENT_LENGTH", NULL);
        WorkerRecord *record;

        record = scoreboard_begin(r->board, r->slot);
        record->request_started = now_monotonic();
        if (!length || parse_u64(length, &record->content_length) < 0)
                record->content_length = 0;
        copy_text(record->method, sizeof record->method, params_get(params, "REQUEST_METHOD", NULL));
        copy_text(record->uri, sizeof record->uri, params_get(params, "REQUEST_URI", NULL));
        record->user[0] = record->script[0] = 0;
        scoreboard_end(r->board, r->slot);
}

void report_script(const Report *r, const char *script, const char *user)
{
        WorkerRecord *record;

        record = scoreboard_begin(r->board, r->slot);
        copy_text(record->script, sizeof record->script, script);
        copy_text(record->user, sizeof record->user, user);
        scoreboard_end(r->board, r->slot);
}

void report_sending(const Report *r)
{
        WorkerRecord *record;

        record = scoreboard_begin(r->board, r->slot);
        if (record->sending_started < record->request_started)
                record->sending_started = now_monotonic();
        scoreboard_end(r->board, r->slot);
        report_stage(r, STAGE_SENDING);
}

void report_progress(const Report *r)
{
        scoreboard_note_progress(r->board, r->slot);
}

void report_request_end(Report *r, uint64_t memory, usec_t cpu)
{
        WorkerRecord *record;

        record = scoreboard_begin(r->board, r->slot);
        record->request_ended = now_monotonic();
        record->request_duration = usec_sub(record->request_ended, record->request_started);
        record->request_cpu = cpu;
        record->request_memory = memory;
        record->memory_peak = MAX(record->memory_peak, memory);
        record->requests = ++r->counted;
        r->request_duration = record->request_duration;
        scoreboard_end(r->board, r->slot);
}

bool report_others_idle(const Report *r)
{
        for (size_t i = 0; i < scoreboard_size(r->board); i++)
                if (i != r->slot && scoreboard_stage(r->board, i) == STAGE_IDLE)
                        return true;
        return false;
}
