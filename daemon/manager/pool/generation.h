/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One generation: a set of settings, the template that started PHP with them, its scoreboard, and the
 * workers that came from it. A reload makes a new one beside the old one; the old one retires and goes when
 * its last worker went. A generation carries out orders, keeps the books on its workers, and kills
 * what does not come to be in time.
 */

#include <sys/types.h>

#include "config/config.h"
#include "ipc/inherit.h"
#include "manager/decide/reasons.h"
#include "manager/pool/template.h"
#include "manager/pool/workers.h"

/*
 * Slots beyond pm.max_children: the one extra worker of a take-over, and slots whose fork's outcome is
 * unknown.
 */
#define GENERATION_SPARE_SLOTS (1 + IPC_SPAWN_MAX)

/* The life of a generation. generation_may_follow() says how it goes on. */
typedef enum GenerationState {
        GENERATION_STARTING, /* PHP starts, in the template */
        GENERATION_ORDERED,  /* and its first worker is ordered: whose readiness lets it take over */
        GENERATION_READY,    /* a worker was ready */
        GENERATION_SUSPECT,  /* and too many have crashed since: it serves until it is replaced */
        GENERATION_RETIRED,  /* it was told to end, and goes when its last process has gone */
        _GENERATION_STATE_MAX,
} GenerationState;

/* How its template stands. template_may_follow() says how it goes on. */
typedef enum TemplateState {
        TEMPLATE_STARTING,
        TEMPLATE_UP,
        TEMPLATE_LAME, /* up, but a launcher of it died, and with it the slots of some workers are lost */
        TEMPLATE_DEAD, /* and reaped */
        _TEMPLATE_STATE_MAX,
} TemplateState;

/* Whether it may go from one state to the other. */
bool generation_may_follow(GenerationState before, GenerationState after);
bool template_may_follow(TemplateState before, TemplateState after);

/* Whose a generation is. */
typedef struct GenerationOwner {
        sd_event *event;
        const char *pool;                  /* its name */
        void (*on_change)(void *userdata); /* something was learned: take the next step */
        void *userdata;
} GenerationOwner;

typedef struct Generation Generation;
struct Generation {
        GenerationOwner owner;
        uint64_t id;
        char id_text[24]; /* the same, for the log */
        GenerationState state;
        Config *config;
        int settings_fd;
        Workers workers;
        int limit_timer; /* timerfd, elapses when a request may be beyond a limit */
        sd_event_source *limit_source;

        Template *template;
        TemplateState template_state;
        KillReason template_killed; /* why we sent it SIGKILL */
        char php_version[IPC_VERSION_MAX];
        char complaint[IPC_TEXT_MAX]; /* what is wrong though PHP started; "" for nothing */
        char *failure;                /* why it cannot go on: a sentence, or NULL */

        /* What happened since the last step, which takes notice and clears it: no states. */
        bool limits_due;  /* the timer elapsed, or a worker died that may have been about to start it */
        bool fork_failed; /* an order failed */

        /* What is so once and for all: no states either. */
        bool has_ini;     /* php.ini_scan_dir had a file when it started */
        bool other_build; /* its failure: the template is of another build than the manager */
        bool sized;       /* start_servers have been ordered, as far as there was room */

        unsigned n_stillborn; /* in a row: workers that died before they were ready, orders that failed */
        usec_t started;       /* CLOCK_MONOTONIC */
        usec_t deadline;      /* CLOCK_MONOTONIC: of its start, or of its drain; 0 for none */

        /* Of a retired one. */
        usec_t retired_at;       /* CLOCK_MONOTONIC */
        KillReason drain_reason; /* why it is killed at the deadline */
        usec_t tell_at;          /* CLOCK_MONOTONIC: when to say what its end waits for; 0 for said */
        Generation *older;       /* in the list of them */
};

/*
 * Starts a generation: seals the settings, makes the board, starts the template. config becomes the
 * generation's also on failure; its php_version is known. The owner is copied; its pool must outlive the
 * generation. inherit names the pool's descriptors: handoff, wake, error, listen. 0 or -errno.
 */
int generation_start(const GenerationOwner *owner, uint64_t id, Config *config, const Inherit *inherit,
                     Generation **ret);

/* Frees it. No worker may be alive. */
void generation_free(Generation *g);
DEFINE_CLEANUP(Generation *, generation_free)

/* A worker of it was ready once, and it was not told to end. */
static inline bool generation_is_ready(const Generation *g)
{
        return g->state == GENERATION_READY || g->state == GENERATION_SUSPECT;
}

/* PHP has started in its template, which lives. */
static inline bool generation_has_template(const Generation *g)
{
        return g->template_state == TEMPLATE_UP || g->template_state == TEMPLATE_LAME;
}

/* Whether workers can be had of it, now and later. */
static inline bool generation_can_fork(const Generation *g)
{
        return g->template_state == TEMPLATE_UP;
}

/* The template is dead and reaped: closes its channel. */
void generation_template_died(Generation *g);

/* Too many workers of a ready one have crashed. */
void generation_suspect(Generation *g);

/*
 * Orders n workers, fewer if slots run out. It has a template, and is not retired. The number ordered, or
 * -errno.
 */
int generation_spawn(Generation *g, size_t n);

/*
 * Tells every worker to end; the template goes on until the last of them has ended (draining_step()). Notes
 * the deadline (CLOCK_MONOTONIC, 0 for never), and why the processes are killed then, which also says
 * whether another generation goes on. Once only.
 */
void generation_retire(Generation *g, KillReason why, usec_t deadline);

/* SIGKILLs the workers that may still take a connection, since they do not end. Logs. */
void generation_kill_accepting(Generation *g);

/*
 * Ends what does not come to be within reload.start_timeout: the template, where it does not carry out an
 * order, or a worker that does not become ready. Logs. When to look again, 0 for never.
 */
usec_t generation_check_starts(Generation *g, usec_t now);

/* SIGKILLs its workers and its template. The number of workers that had a request. */
size_t generation_kill(Generation *g, KillReason why);

/* Looks which workers have become ready. */
void generation_look(Generation *g);

/* Notes why it cannot go on; the first reason stays. */
void generation_fail(Generation *g, const char *format, ...) _printf_(2, 3);
