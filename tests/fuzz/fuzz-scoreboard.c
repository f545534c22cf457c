/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as what scripts have made of the scoreboard, which they can write to: what the manager copies
 * out is in range and ends, whatever it does with a slot, and what a worker maps is a board of its size.
 */

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "input.h"
#include "scoreboard/scoreboard.h"

#define SLOTS 2

static void check_record(const WorkerRecord *r)
{
        CHECK(r->stage < _STAGE_MAX && stage_to_string(r->stage));
        CHECK(memchr(r->method, 0, sizeof r->method) && memchr(r->uri, 0, sizeof r->uri));
        CHECK(memchr(r->script, 0, sizeof r->script) && memchr(r->user, 0, sizeof r->user));
}

static void read_slot(Scoreboard *board, size_t slot)
{
        WorkerRecord record;

        (void) scoreboard_read(board, slot, &record);
        check_record(&record);
        CHECK(scoreboard_stage(board, slot) < _STAGE_MAX);
        (void) scoreboard_progress(board, slot);
        (void) scoreboard_condemned(board, slot);
}

/* What a manager and a worker do, in the order that the first byte says. */
static void use(Scoreboard *board, uint8_t order)
{
        for (unsigned i = 0; i < 8; i++, order = (uint8_t) (order << 1 | order >> 7)) {
                size_t slot = order >> 7;

                read_slot(board, slot);
                if (order & 1)
                        scoreboard_condemn(board, slot, order);
                if (order & 2)
                        (void) scoreboard_set_stage(board, slot, (Stage) (order % _STAGE_MAX));
                if (order & 4)
                        scoreboard_release(board, slot);
                if (order & 8)
                        scoreboard_arm(board, order & 1, order & 2);
                if (order & 16)
                        CHECK(scoreboard_attach(board, slot) == 0);
                read_slot(board, slot);
        }
}

static void manage(const uint8_t *data, size_t size, uint8_t order)
{
        _cleanup_(scoreboard_freep) Scoreboard *board = NULL;

        CHECK(scoreboard_new(SLOTS, &board) == 0);
        CHECK(pwrite(scoreboard_fd(board), data, size, 0) >= 0); /* the kernel takes no more than there is */
        CHECK(scoreboard_size(board) == SLOTS);
        use(board, order);
}

static void work(const uint8_t *data, size_t size, uint8_t order)
{
        _cleanup_(scoreboard_freep) Scoreboard *board = NULL;
        _cleanup_(fd_closep) int fd = memfd_create("fuzz", MFD_CLOEXEC);
        int r;

        CHECK(fd >= 0 && write(fd, data, size) == (ssize_t) size);
        r = scoreboard_map(fd, &board);
        CHECK(r == 0 || r == -EBADMSG);
        if (r == 0 && scoreboard_size(board) >= 2)
                use(board, order);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        if (size < 2)
                return 0;
        manage(data + 1, size - 1, data[0]);
        work(data + 1, size - 1, data[0]);
        return 0;
}
