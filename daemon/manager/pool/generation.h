/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * One generation: a set of settings, the template that started PHP with them, its scoreboard, and the
 * workers that came from it. A reload makes a new one beside the old one; the old one retires and goes when
 * its last worker went. A generation decides nothing: it carries out orders and keeps the books on its
 * workers.
 */

#include <sys/types.h>

#include "config/config.h"
#include "ipc/inherit.h"
#include "manager/pool/limits.h"
#include "manager/pool/reasons.h"
#include "manager/pool/template.h"
#include "scoreboard/scoreboard.h"

/*
 * Slots beyond pm.max_children: the one extra worker of a take-over, and slots whose fork's outcome is
 * unknown.
 */
#define GENERATION_SPARE_SLOTS (1 + IPC_SPAWN_MAX)

/* How a template stands. */
typedef enum TemplateState {
        TEMPLATE_STARTING,
        TEMPLATE_UP,
        TEMPLATE_DEAD, /* and reaped */
} TemplateState;

typedef enum WorkerState {
        WORKER_NONE,     /* the slot is free */
        WORKER_ORDERED,  /* the template was asked for it */
        WORKER_LIVE,     /* forked: its pid is known */
        WORKER_RETIRING, /* and told to end after its request */
        WORKER_LOST,     /* its launcher died: perhaps it lives; told to end, the slot is not used again */
} WorkerState;

typedef struct Worker {
        WorkerState state;
        pid_t pid;      /* WORKER_LIVE and WORKER_RETIRING */
        int retire_fd;  /* eventfd: a write orders it to end */
        usec_t started; /* CLOCK_REALTIME, when it was ordered: for people */
        usec_t ordered; /* CLOCK_MONOTONIC */
        usec_t forked;  /* CLOCK_MONOTONIC, when we learned of it */
        usec_t ready;   /* CLOCK_MONOTONIC, when we saw it idle first; 0 before */
        KillReason killed; /* why we sent it SIGKILL */

        uint64_t limit_request; /* what limits.c knows is about this request, counted from 1 */
        bool traced;            /* it was asked to be in the slow log */
        LimitStep limit_step;
        usec_t limit_since;     /* CLOCK_MONOTONIC, when that step was taken */
} Worker;

typedef struct Generation Generation;
struct Generation {
        uint64_t id;
        char id_text[24];   /* the same, for the log */
        Config *config;
        int settings_fd;
        Scoreboard *board;
        int limit_timer;    /* timerfd, elapses when a request may be beyond a limit */
        sd_event_source *limit_source;
        bool limits_due;    /* it elapsed since the last step */
        Template *template;
        TemplateState template_state;
        KillReason template_killed; /* why we sent it SIGKILL */
        char php_version[IPC_VERSION_MAX];
        char complaint[IPC_TEXT_MAX]; /* what is wrong though PHP started; "" for nothing */
        char *failure;      /* why it cannot go on: a sentence, or NULL */
        Worker *workers;    /* one per slot of the board */
        size_t n_workers;
        bool has_ini;       /* php.ini_scan_dir had a file when it started */
        bool other_build;   /* its template is of another build than the manager, which is its failure */
        bool first_ordered; /* the worker whose readiness lets it take over */
        bool sized;         /* start_servers have been ordered, as far as there was room */
        bool ready;         /* a worker was ready once */
        bool retired;
        unsigned n_stillborn; /* in a row: workers that died before they were ready, orders that failed */
        bool lost_workers;    /* a launcher died: their slots are lost until the generation is replaced */
        bool suspect;         /* too many of its workers crashed: it is to be replaced */
        bool fork_failed;     /* an order failed since the last step */
        usec_t started;     /* CLOCK_MONOTONIC */
        usec_t deadline;    /* CLOCK_MONOTONIC: of its start, or of its drain; 0 for none */
        usec_t retired_at;  /* CLOCK_MONOTONIC */
        KillReason drain_reason; /* of a retired one: why it is killed at the deadline */
        usec_t tell_at;          /* CLOCK_MONOTONIC: when to say what its end waits for; 0 for said */
        Generation *older;  /* in the list of retired ones */

        void (*on_change)(void *userdata); /* something was learned: take the next step */
        void *userdata;
};

/* What a generation's workers do just now. */
typedef struct GenerationCount {
        size_t idle, busy, starting;
        size_t retiring;
        size_t expired;  /* of the idle ones: idle longer than pm.process_idle_timeout */
        usec_t expiry;   /* until the next one expires, or at the earliest can; with ondemand only */
} GenerationCount;

/*
 * Starts a generation: seals the settings, makes the board, starts the template. config becomes the
 * generation's also on failure. inherit names the pool's descriptors: handoff, wake, listen. 0 or -errno.
 */
int generation_start(sd_event *event, const char *pool, uint64_t id, Config *config, const Inherit *inherit,
                     void (*on_change)(void *userdata), void *userdata, Generation **ret);

/* Frees it. No worker may be alive. */
void generation_free(Generation *g);
DEFINE_CLEANUP(Generation *, generation_free)

/* Orders n workers, fewer if slots run out. The number ordered, or -errno. */
int generation_spawn(Generation *g, size_t n);

/* Tells n idle workers to end, the longest idle first. */
void generation_retire_idle(Generation *g, size_t n);

/*
 * Tells the template and every worker to end; deadline (CLOCK_MONOTONIC, 0 for never) is noted, and why they
 * are killed then, which also says whether another generation goes on.
 */
void generation_retire(Generation *g, KillReason why, usec_t deadline);

/* The pool stops: also the workers that were told to end before learn that no other generation goes on. */
void generation_retire_stop(Generation *g);

/* Whether a worker may still take a connection: it is idle, or not yet ready. */
bool generation_accepts(const Generation *g);

/* SIGKILLs the workers that it may be of, since they do not end. Logs. */
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

GenerationCount generation_count(const Generation *g);

/*
 * When a worker of it last finished a request or came into being, CLOCK_MONOTONIC; 0 where all are busy or
 * gone.
 */
usec_t generation_last_active(const Generation *g);

/* When a request of it last began or ended, CLOCK_MONOTONIC; 0 for never. */
usec_t generation_last_request(const Generation *g);

/* How often its workers have noted progress (scoreboard.h): what counts is that it is another number. */
uint64_t generation_progress(const Generation *g);

/* Workers that are alive or may be. */
size_t generation_alive(const Generation *g);

/* Whether a worker was ordered of which its template, or the launcher, has not said yet what became. */
bool generation_expects(const Generation *g);

/* The slot of the worker with this pid, or -1. */
ssize_t generation_find(const Generation *g, pid_t pid);

/* The worker is dead and reaped: frees the slot. */
void generation_bury(Generation *g, size_t slot);

/* Notes why it cannot go on; the first reason stays. */
void generation_fail(Generation *g, const char *format, ...) _printf_(2, 3);
