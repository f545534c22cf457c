/* SPDX-License-Identifier: MIT */

/*
 * The shared board: see scoreboard.h. Each slot carries a sequence number that is odd while its worker
 * writes (a sequence lock without the lock: a worker that dies inside leaves a torn record, and no reader
 * waits for it).
 */

#include "scoreboard/scoreboard.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"

#define SCOREBOARD_MAGIC 0x70687062U /* "phpb" */
#define CACHE_LINE 64
#define READ_TRIES 3
#define WORD_BITS 64
#define IDLE_WORDS (SCOREBOARD_SLOTS_MAX / WORD_BITS)
static_assert(SCOREBOARD_SLOTS_MAX % WORD_BITS == 0, "each slot has a bit");

typedef struct Slot {
        _Alignas(CACHE_LINE) atomic_uint sequence;
        atomic_uint stage;
        _Atomic uint64_t progress; /* the worker's: how often its client took or brought something */
        WorkerRecord record;
        _Alignas(CACHE_LINE) _Atomic uint64_t condemned; /* the manager's: a request's number, 0 for none */
} Slot;

typedef struct Board {
        uint32_t magic;
        uint32_t n_slots;
        _Alignas(CACHE_LINE) atomic_uint least; /* the manager's: its bounds of the number of idle workers */
        atomic_uint surplus;
        atomic_uint watched; /* the manager's */
        _Alignas(CACHE_LINE) atomic_uint least_armed; /* everybody's */
        atomic_uint surplus_armed;
        atomic_uint timer_offered;
        _Atomic uint64_t idle[IDLE_WORDS]; /* one bit a slot */
        Slot slots[];
} Board;

struct Scoreboard {
        Board *board;
        size_t size;    /* of the mapping, bytes */
        size_t n_slots; /* our own copy: the shared one is never used as a bound */
        int fd;
};

static const char *const stage_names[] = {
#define STAGE(name, text) [STAGE_##name] = text,
        STAGE_LIST
#undef STAGE
};
static_assert(ELEMENTSOF(stage_names) == _STAGE_MAX, "every stage has a name");

const char *stage_to_string(Stage stage)
{
        assert(stage < _STAGE_MAX);
        return stage_names[stage];
}

static int board_map(int fd, size_t size, Scoreboard **ret)
{
        _cleanup_(freep) Scoreboard *b = NULL;
        void *p;

        b = malloc(sizeof *b);
        if (!b)
                return -ENOMEM;

        p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
                return -errno;

        *b = (Scoreboard) { .board = p, .size = size, .fd = -EBADF };
        *ret = TAKE_PTR(b);
        return 0;
}

int scoreboard_new(size_t n_slots, Scoreboard **ret)
{
        _cleanup_(scoreboard_freep) Scoreboard *b = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t size = sizeof(Board) + n_slots * sizeof(Slot);
        int r;

        if (n_slots > SCOREBOARD_SLOTS_MAX)
                return -ERANGE;

        fd = memfd_create("php-pool-scoreboard", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        if (ftruncate(fd, (off_t) size) < 0)
                return -errno;
        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
                return -errno;

        r = board_map(fd, size, &b);
        if (r < 0)
                return r;

        b->board->magic = SCOREBOARD_MAGIC;
        b->board->n_slots = (uint32_t) n_slots;
        b->n_slots = n_slots;
        b->fd = TAKE_FD(fd);
        *ret = TAKE_PTR(b);
        return 0;
}

int scoreboard_map(int fd, Scoreboard **ret)
{
        _cleanup_(scoreboard_freep) Scoreboard *b = NULL;
        struct stat st;
        int r;

        if (fstat(fd, &st) < 0)
                return -errno;
        if ((size_t) st.st_size < sizeof(Board))
                return -EBADMSG;

        r = board_map(fd, (size_t) st.st_size, &b);
        if (r < 0)
                return r;

        b->n_slots = b->board->n_slots;
        if (b->n_slots > SCOREBOARD_SLOTS_MAX || b->board->magic != SCOREBOARD_MAGIC ||
            sizeof(Board) + b->n_slots * sizeof(Slot) != b->size)
                return -EBADMSG;

        *ret = TAKE_PTR(b);
        return 0;
}

void scoreboard_free(Scoreboard *b)
{
        if (!b)
                return;
        (void) munmap(b->board, b->size);
        fd_close(b->fd);
        free(b);
}

int scoreboard_fd(const Scoreboard *b)
{
        return b->fd;
}

size_t scoreboard_size(const Scoreboard *b)
{
        return b->n_slots;
}

static Slot *board_slot(const Scoreboard *b, size_t slot)
{
        assert(slot < b->n_slots);
        return &b->board->slots[slot];
}

/* What only the manager may do needs the memfd, which a worker's board has not. */
static bool is_managers(const Scoreboard *b)
{
        return b->fd >= 0;
}

int scoreboard_attach(Scoreboard *b, size_t slot)
{
        WorkerRecord *record;

        if (slot >= b->n_slots)
                return -ERANGE;

        record = scoreboard_begin(b, slot);
        *record = (WorkerRecord){ .pid = getpid() };
        scoreboard_end(b, slot);
        return 0;
}

WorkerRecord *scoreboard_begin(Scoreboard *b, size_t slot)
{
        Slot *s = board_slot(b, slot);

        atomic_fetch_add_explicit(&s->sequence, 1, memory_order_relaxed);
        atomic_thread_fence(
                        memory_order_release); /* the odd number is seen before what is written under it */
        return &s->record;
}

void scoreboard_end(Scoreboard *b, size_t slot)
{
        atomic_fetch_add_explicit(&board_slot(b, slot)->sequence, 1, memory_order_release);
}

static void mark_idle(Scoreboard *b, size_t slot, bool idle)
{
        uint64_t bit = UINT64_C(1) << slot % WORD_BITS;

        if (idle)
                atomic_fetch_or(&b->board->idle[slot / WORD_BITS], bit);
        else
                atomic_fetch_and(&b->board->idle[slot / WORD_BITS], ~bit);
}

static unsigned idle_workers(const Scoreboard *b)
{
        unsigned n = 0;

        for (size_t i = 0; i * WORD_BITS < b->n_slots; i++)
                n += (unsigned) __builtin_popcountll(atomic_load(&b->board->idle[i]));
        return n;
}

bool scoreboard_set_stage(Scoreboard *b, size_t slot, Stage stage)
{
        Slot *s = board_slot(b, slot);
        Stage before = atomic_load_explicit(&s->stage, memory_order_relaxed);

        if (before == stage)
                return false;

        atomic_store(&s->stage, stage);
        if (stage == STAGE_IDLE) {
                mark_idle(b, slot, true);
                return before == STAGE_STARTING || (atomic_load(&b->board->surplus_armed) &&
                                                    idle_workers(b) >= atomic_load(&b->board->surplus) &&
                                                    atomic_exchange(&b->board->surplus_armed, 0) != 0);
        }
        if (before != STAGE_IDLE)
                return false;

        mark_idle(b, slot, false);
        return atomic_load(&b->board->least_armed) && idle_workers(b) < atomic_load(&b->board->least) &&
               atomic_exchange(&b->board->least_armed, 0) != 0;
}

void scoreboard_note_progress(Scoreboard *b, size_t slot)
{
        atomic_fetch_add_explicit(&board_slot(b, slot)->progress, 1, memory_order_relaxed);
}

uint64_t scoreboard_progress(const Scoreboard *b, size_t slot)
{
        return atomic_load_explicit(&board_slot(b, slot)->progress, memory_order_relaxed);
}

bool scoreboard_claim_timer(Scoreboard *b)
{
        return atomic_load(&b->board->timer_offered) && atomic_exchange(&b->board->timer_offered, 0) != 0;
}

void scoreboard_offer_timer(Scoreboard *b)
{
        atomic_store(&b->board->timer_offered, 1);
}

bool scoreboard_condemned(const Scoreboard *b, size_t slot)
{
        const Slot *s = board_slot(b, slot);
        unsigned stage = atomic_load(&s->stage);

        return stage >= STAGE_RUNNING && stage <= STAGE_FINISHING &&
               atomic_load(&s->condemned) == s->record.requests + 1;
}

void scoreboard_condemn(Scoreboard *b, size_t slot, uint64_t request)
{
        assert(is_managers(b));
        atomic_store(&board_slot(b, slot)->condemned, request);
}

void scoreboard_reserve(Scoreboard *b, size_t slot)
{
        assert(is_managers(b));
        atomic_store(&board_slot(b, slot)->stage, STAGE_STARTING);
}

void scoreboard_release(Scoreboard *b, size_t slot)
{
        Slot *s = board_slot(b, slot);

        assert(is_managers(b));

        atomic_store(&s->stage, STAGE_FREE);
        atomic_store(&s->condemned, 0);
        atomic_store(&s->progress, 0);
        mark_idle(b, slot, false);
        atomic_store(&s->sequence, 0); /* its worker may have died while writing */
        memset(&s->record, 0, sizeof s->record);
}

Stage scoreboard_stage(const Scoreboard *b, size_t slot)
{
        unsigned stage = atomic_load(&board_slot(b, slot)->stage);

        return stage < _STAGE_MAX ? (Stage) stage : STAGE_RUNNING;
}

bool scoreboard_read(const Scoreboard *b, size_t slot, WorkerRecord *ret)
{
        Slot *s = board_slot(b, slot);
        bool whole = false;

        for (unsigned i = 0; i < READ_TRIES && !whole; i++) {
                unsigned before = atomic_load_explicit(&s->sequence, memory_order_acquire);

                memcpy(ret, &s->record, sizeof *ret);
                atomic_thread_fence(memory_order_acquire);
                whole = before % 2 == 0 &&
                        atomic_load_explicit(&s->sequence, memory_order_relaxed) == before;
        }

        ret->stage = scoreboard_stage(b, slot);
        ret->method[SCOREBOARD_METHOD_MAX - 1] = 0;
        ret->uri[SCOREBOARD_URI_MAX - 1] = 0;
        ret->script[SCOREBOARD_SCRIPT_MAX - 1] = 0;
        ret->user[SCOREBOARD_USER_MAX - 1] = 0;
        return whole;
}

bool scoreboard_watched(const Scoreboard *b)
{
        return atomic_load_explicit(&b->board->watched, memory_order_relaxed) != 0;
}

void scoreboard_set_watched(Scoreboard *b, bool watched)
{
        assert(is_managers(b));
        atomic_store_explicit(&b->board->watched, watched, memory_order_relaxed);
}

void scoreboard_arm(Scoreboard *b, unsigned least, unsigned surplus)
{
        assert(is_managers(b));

        atomic_store(&b->board->least, least);
        atomic_store(&b->board->surplus, surplus);
        atomic_store(&b->board->least_armed, least > 0);
        atomic_store(&b->board->surplus_armed, surplus > 0);
}
