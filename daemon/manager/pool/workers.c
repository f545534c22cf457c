/* SPDX-License-Identifier: MIT */

/*
 * The slots of workers: see workers.h. It owns the board and each worker's eventfd. A worker's state changes
 * in set_state() and nowhere else. Nothing here knows of templates, settings or what the pool wants.
 */

#include "manager/pool/workers.h"

#include <signal.h>

#include "base/fd.h"
#include "ipc/messages.h"

#define TO(state) (1U << WORKER_##state)

/* Which states may follow. A slot that is lost stays so until the generation goes. */
static const unsigned followers[] = {
        [WORKER_NONE] = TO(ORDERED),
        [WORKER_ORDERED] = TO(LIVE) | TO(RETIRING) | TO(LOST) | TO(NONE),
        [WORKER_LIVE] = TO(RETIRING) | TO(NONE),
        [WORKER_RETIRING] = TO(NONE),
        [WORKER_LOST] = 0,
};
static_assert(ELEMENTSOF(followers) == _WORKER_STATE_MAX, "every state has followers");

bool worker_may_follow(WorkerState before, WorkerState after)
{
        assert(before < _WORKER_STATE_MAX && after < _WORKER_STATE_MAX);
        return followers[before] & 1U << after;
}

static void set_state(Worker *w, WorkerState state)
{
        assert(worker_may_follow(w->state, state));
        w->state = state;
}

static Worker *worker_at(const Workers *ws, size_t slot)
{
        assert(slot < ws->n);
        return &ws->slots[slot];
}

int workers_new(size_t n, Workers *ret)
{
        Workers ws = {};
        int r;

        r = scoreboard_new(n, &ws.board);
        if (r < 0)
                return r;
        ws.slots = calloc(n, sizeof *ws.slots);
        if (!ws.slots) {
                scoreboard_free(ws.board);
                return -ENOMEM;
        }
        for (size_t i = 0; i < n; i++)
                ws.slots[i].retire_fd = -EBADF;
        ws.n = n;
        *ret = ws;
        return 0;
}

void workers_clear(Workers *ws)
{
        for (size_t i = 0; i < ws->n; i++) {
                assert(!worker_lives(&ws->slots[i]));
                fd_close(ws->slots[i].retire_fd);
        }
        free(ws->slots);
        scoreboard_free(ws->board);
        *ws = (Workers){};
}

static int order_one(Workers *ws, size_t slot)
{
        Worker *w = worker_at(ws, slot);

        w->retire_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->retire_fd < 0)
                return -errno;
        set_state(w, WORKER_ORDERED);
        w->started = now_realtime();
        w->ordered = now_monotonic();
        scoreboard_reserve(ws->board, slot);
        return 0;
}

int workers_order(Workers *ws, size_t n, uint32_t *ret_slots, int *ret_fds)
{
        size_t found = 0;

        for (size_t i = 0; i < ws->n && found < n; i++) {
                int r;

                if (ws->slots[i].state != WORKER_NONE)
                        continue;
                r = order_one(ws, i);
                if (r < 0)
                        return found > 0 ? (int) found : r;
                ret_slots[found] = (uint32_t) i;
                ret_fds[found++] = ws->slots[i].retire_fd;
        }
        return (int) found;
}

bool workers_in_state(const Workers *ws, size_t slot, WorkerState state)
{
        return slot < ws->n && ws->slots[slot].state == state;
}

void workers_forked(Workers *ws, size_t slot, pid_t pid, bool retiring)
{
        Worker *w = worker_at(ws, slot);

        assert(pid > 1);
        set_state(w, retiring ? WORKER_RETIRING : WORKER_LIVE);
        w->pid = pid;
        w->forked = now_monotonic();
}

void workers_lose(Workers *ws, size_t slot)
{
        Worker *w = worker_at(ws, slot);

        set_state(w, WORKER_LOST);
        (void) eventfd_write(w->retire_fd, IPC_RETIRE);
}

void workers_bury(Workers *ws, size_t slot)
{
        Worker *w = worker_at(ws, slot);

        set_state(w, WORKER_NONE);
        scoreboard_release(ws->board, slot);
        fd_close(w->retire_fd);
        *w = (Worker){ .retire_fd = -EBADF };
}

/* Tells a worker to end after its request. */
static void retire(Worker *w, eventfd_t order)
{
        (void) eventfd_write(w->retire_fd, order);
        set_state(w, WORKER_RETIRING);
}

usec_t workers_idle_since(const Workers *ws, size_t slot)
{
        const Worker *w = worker_at(ws, slot);
        WorkerRecord record;

        if (w->state != WORKER_LIVE || scoreboard_stage(ws->board, slot) != STAGE_IDLE)
                return USEC_INFINITY;
        (void) scoreboard_read(ws->board, slot, &record);
        return record.requests > 0 ? usec_add(record.request_started, record.request_duration) : w->forked;
}

static Worker *longest_idle(const Workers *ws)
{
        usec_t oldest = USEC_INFINITY;
        Worker *found = NULL;

        for (size_t i = 0; i < ws->n; i++) {
                usec_t since = workers_idle_since(ws, i);

                if (since < oldest) {
                        oldest = since;
                        found = &ws->slots[i];
                }
        }
        return found;
}

void workers_retire_idle(Workers *ws, size_t n)
{
        while (n-- > 0) {
                Worker *w = longest_idle(ws);

                if (!w)
                        return;
                retire(w, IPC_RETIRE);
        }
}

void workers_retire(Workers *ws, eventfd_t order)
{
        for (size_t i = 0; i < ws->n; i++) {
                Worker *w = &ws->slots[i];

                if (w->state == WORKER_ORDERED)
                        (void) eventfd_write(w->retire_fd, order);
                else if (w->state == WORKER_LIVE)
                        retire(w, order);
        }
}

void workers_retire_stop(Workers *ws)
{
        for (size_t i = 0; i < ws->n; i++) {
                const Worker *w = &ws->slots[i];

                if (w->state == WORKER_RETIRING || w->state == WORKER_ORDERED)
                        (void) eventfd_write(w->retire_fd, IPC_RETIRE_STOP);
        }
}

bool worker_kill(Worker *w, KillReason why)
{
        assert(worker_lives(w));
        assert(why != KILL_NONE && why < _KILL_REASON_MAX);
        if (w->killed != KILL_NONE)
                return false;
        w->killed = why;
        (void) kill(w->pid, SIGKILL);
        return true;
}

bool workers_look(Workers *ws)
{
        bool found = false;

        for (size_t i = 0; i < ws->n; i++) {
                Worker *w = &ws->slots[i];

                if (!worker_lives(w) || w->ready > 0 || scoreboard_stage(ws->board, i) <= STAGE_STARTING)
                        continue;
                w->ready = now_monotonic();
                found = true;
        }
        return found;
}

bool workers_accepts(const Workers *ws, size_t slot)
{
        Stage stage = scoreboard_stage(ws->board, slot);

        return worker_lives(worker_at(ws, slot)) && (stage == STAGE_STARTING || stage == STAGE_IDLE);
}

ssize_t workers_find(const Workers *ws, pid_t pid)
{
        assert(pid > 0);
        for (size_t i = 0; i < ws->n; i++)
                if (ws->slots[i].pid == pid)
                        return (ssize_t) i;
        return -1;
}
