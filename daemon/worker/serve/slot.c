/* SPDX-License-Identifier: MIT */

/*
 * The worker's side of the scoreboard: see slot.h. A slot has one writer, this one. It costs no system call
 * but for the one that wakes the manager: when the worker waits for work for the first time, and where the
 * manager has asked for it.
 */

#include "worker/serve/slot.h"

#include <sys/eventfd.h>

#include "base/parse.h"

void slot_stage(const Slot *s, Stage stage)
{
        if (scoreboard_set_stage(s->board, s->number, stage))
                (void) eventfd_write(s->wake_fd, 1);
}

/* Cuts what is too long. */
static void copy_text(char *to, size_t size, const char *from)
{
        size_t n = from ? strnlen(from, size - 1) : 0;

        if (n > 0)
                memcpy(to, from, n);
        to[n] = 0;
}

void slot_request(const Slot *s, const Params *params)
{
        const char *length = params_get(params, "CONTENT_LENGTH", NULL);
        WorkerRecord *record;

        record = scoreboard_begin(s->board, s->number);
        record->request_started = now_monotonic();
        if (!length || parse_u64(length, &record->content_length) < 0)
                record->content_length = 0;
        copy_text(record->method, sizeof record->method, params_get(params, "REQUEST_METHOD", NULL));
        copy_text(record->uri, sizeof record->uri, params_get(params, "REQUEST_URI", NULL));
        record->user[0] = record->script[0] = 0;
        scoreboard_end(s->board, s->number);
}

void slot_script(const Slot *s, const char *script, const char *user)
{
        WorkerRecord *record;

        record = scoreboard_begin(s->board, s->number);
        copy_text(record->script, sizeof record->script, script);
        copy_text(record->user, sizeof record->user, user);
        scoreboard_end(s->board, s->number);
}

void slot_sending(const Slot *s)
{
        WorkerRecord *record;

        record = scoreboard_begin(s->board, s->number);
        if (record->sending_started < record->request_started)
                record->sending_started = now_monotonic();
        scoreboard_end(s->board, s->number);
        slot_stage(s, STAGE_SENDING);
}

void slot_progress(const Slot *s)
{
        scoreboard_note_progress(s->board, s->number);
}

void slot_request_end(Slot *s, uint64_t memory, usec_t cpu)
{
        WorkerRecord *record;

        record = scoreboard_begin(s->board, s->number);
        record->request_ended = now_monotonic();
        record->request_duration = usec_sub(record->request_ended, record->request_started);
        record->request_cpu = cpu;
        record->request_memory = memory;
        record->memory_peak = MAX(record->memory_peak, memory);
        record->requests = ++s->counted;
        s->request_duration = record->request_duration;
        scoreboard_end(s->board, s->number);
}

bool slot_others_idle(const Slot *s)
{
        for (size_t i = 0; i < scoreboard_size(s->board); i++)
                if (i != s->number && scoreboard_stage(s->board, i) == STAGE_IDLE)
                        return true;
        return false;
}
