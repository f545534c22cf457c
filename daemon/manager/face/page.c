/* SPDX-License-Identifier: MIT */

/*
 * The status page: see page.h. It is made anew for each question, from what report.c gathers. It is not
 * kept, and nothing here waits: neither for a worker nor for the client.
 */

#include "manager/face/page.h"

#include <unistd.h>

#include "base/log.h"
#include "manager/face/report.h"

static void write_page(Pool *p, Dump *dump)
{
        PoolStatus status;

        report_pool(p, &status);
        dump_begin(dump, &status);
        FOREACH_GENERATION(g, p)
                for (size_t slot = 0; dump->full && slot < g->workers.n; slot++) {
                        WorkerRecord record;
                        WorkerStatus worker;

                        if (report_worker(g, slot, &record, &worker))
                                dump_worker(dump, &worker);
                }
        dump_end(dump);
}

int page_render(Pool *p, DumpFormat format, bool full, char **ret, size_t *ret_size)
{
        Dump dump = { .format = format, .full = full };
        char *text = NULL;
        size_t size;

        dump.f = open_memstream(&text, &size);
        if (!dump.f)
                return -errno;
        write_page(p, &dump);
        if (ferror(dump.f) | fclose(dump.f)) {
                free(text);
                return -ENOMEM;
        }
        pool_note_watched(p);
        *ret = text;
        *ret_size = size;
        return 0;
}

void page_answer(Pool *p, const HandoffQuestion *question, int socket)
{
        _cleanup_(fd_closep) int page = -EBADF;
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        if (question->format >= _DUMP_FORMAT_MAX)
                return; /* a worker can lie */
        r = page_render(p, question->format, question->full, &text, &size);
        if (r >= 0)
                r = fd_new_sealed_memfd("php-pool-status", text, size, &page);
        if (r >= 0)
                r = handoff_send(socket, &(Handoff) { .kind = HANDOFF_PAGE, .fd = page });
        if (r < 0)
                (void) log_debug_errno(r, "Failed to tell a worker the status, ignoring: %m");
}
