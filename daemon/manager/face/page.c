/* SPDX-License-Identifier: MIT */

/*
 * The status page: see page.h. It is made anew for each question, from what report.c gathers. It is not
 * kept, and nothing here waits: neither for a worker nor for who asked.
 */

#include "manager/face/page.h"

#include <unistd.h>

#include "base/log.h"
#include "manager/face/report.h"

/* How long after a question workers measure for the next one: monitoring asks each minute or so. */
#define WATCH_TIME (5 * 60 * USEC_PER_SEC)
#define WATCH_ACCURACY (10 * USEC_PER_SEC)

static void set_watched(Manager *m, bool watched)
{
        m->watched = watched;
        FOREACH_GENERATION(g, m)
                scoreboard_set_watched(g->workers.board, watched);
}

static int on_watch_ended(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        set_watched(userdata, false);
        return 0;
}

void page_watch(Manager *m)
{
        int r;

        if (!m->watch_source)
                r = sd_event_add_time_relative(m->event, &m->watch_source, CLOCK_MONOTONIC, WATCH_TIME,
                                               WATCH_ACCURACY, on_watch_ended, m);
        else {
                r = sd_event_source_set_time_relative(m->watch_source, WATCH_TIME);
                if (r >= 0)
                        r = sd_event_source_set_enabled(m->watch_source, SD_EVENT_ONESHOT);
        }
        if (r >= 0 && !m->watched)
                set_watched(m, true);
}

static void write_page(Manager *m, Dump *dump)
{
        PoolStatus pool;

        report_pool(m, &pool);
        dump_begin(dump, &pool);
        FOREACH_GENERATION(g, m)
                for (size_t slot = 0; dump->full && slot < g->workers.n; slot++) {
                        WorkerRecord record;
                        WorkerStatus status;

                        if (report_worker(g, slot, &record, &status))
                                dump_worker(dump, &status);
                }
        dump_end(dump);
}

int page_render(Manager *m, DumpFormat format, bool full, char **ret, size_t *ret_size)
{
        Dump dump = { .format = format, .full = full };
        char *text = NULL;
        size_t size;

        dump.f = open_memstream(&text, &size);
        if (!dump.f)
                return -errno;
        write_page(m, &dump);
        if (ferror(dump.f) | fclose(dump.f)) {
                free(text);
                return -ENOMEM;
        }
        page_watch(m);
        *ret = text;
        *ret_size = size;
        return 0;
}

void page_answer(Manager *m, const HandoffQuestion *question, int socket)
{
        _cleanup_(fd_closep) int page = -EBADF;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (question->format >= _DUMP_FORMAT_MAX)
                return; /* a worker can lie */
        r = page_render(m, question->format, question->full, &text, &size);
        if (r >= 0)
                r = fd_new_sealed_memfd("php-pool-status", text, size, &page);
        if (r >= 0)
                r = handoff_send(socket, &(Handoff) { .kind = HANDOFF_PAGE, .fd = page });
        if (r < 0)
                (void) log_debug_errno(r, "Failed to tell a worker the status, ignoring: %m");
}
