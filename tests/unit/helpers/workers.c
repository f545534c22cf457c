/* SPDX-License-Identifier: MIT */

#include "helpers/workers.h"
#include "helpers/unit.h"

uint32_t order_worker(Workers *ws)
{
        uint32_t slot;
        int fd;

        assert_int_equal(workers_order(ws, 1, &slot, &fd), 1);
        return slot;
}

uint32_t add_worker(Workers *ws, Stage stage)
{
        uint32_t slot = order_worker(ws);

        workers_forked(ws, slot, WORKER_PID + (pid_t) slot, false);
        (void) scoreboard_set_stage(ws->board, slot, stage);
        return slot;
}

eventfd_t order_of(const Workers *ws, size_t slot)
{
        eventfd_t order = 0;

        (void) eventfd_read(ws->slots[slot].retire_fd, &order);
        return order;
}

void forget_workers(Workers *ws)
{
        for (size_t i = 0; i < ws->n; i++)
                ws->slots[i].pid = 0;
}
