/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The manager: one pool, one event loop. It owns the loop; each part owns its own event sources. Parts
 * record what happened and call manager_changed(); manager_step() then decides, once per turn of the loop.
 */

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "manager/face/log-loss.h"
#include "manager/life/deaths.h"
#include "manager/life/idle.h"
#include "manager/life/saturation.h"
#include "manager/pool/generation.h"
#include "manager/pool/totals.h"
#include "manager/traffic/listen.h"
#include "manager/traffic/parking.h"
#include "manager/traffic/queue.h"

/* The life of a pool. Only manager_set_state() changes it. */
#define POOL_STATE_LIST                                                                                     \
        POOL_STATE(STARTING, "starting") /* the first generation starts */                                  \
        POOL_STATE(RUNNING, "running")                                                                      \
        POOL_STATE(RELOADING, "reloading") /* a new generation starts beside the current one */             \
        POOL_STATE(DRAINING, "draining")   /* no new work; requests finish */                               \
        POOL_STATE(STOPPING, "stopping")   /* the last process is gone; the loop ends */

typedef enum PoolState {
#define POOL_STATE(name, text) POOL_##name,
        POOL_STATE_LIST
#undef POOL_STATE
        _POOL_STATE_MAX,
} PoolState;

const char *pool_state_to_string(PoolState state);

/* Why a new generation starts. */
typedef enum ReloadReason {
        RELOAD_REQUESTED, /* systemctl reload, SIGHUP */
        RELOAD_REPLACE,   /* the settings stay, the template is new: the old one died, or lost workers */
} ReloadReason;

typedef struct Control Control;
typedef struct Notify Notify;
typedef struct StatusServer StatusServer;

typedef struct Manager {
        const char *pool;
        const char *config_path;

        sd_event *event;
        sd_event_source *step_source;  /* deferred: runs manager_step() once */
        sd_event_source *timer_source; /* the earliest of the deadlines that manager_step() found */
        sd_event_source *tick_source;  /* sizing's maintenance */
        sd_event_source *wake_source;
        sd_event_source *watch_source; /* when watched ends; NULL before the first question */
        sd_event_source *listen_sources[INHERIT_LISTEN_MAX];

        Listen listen;
        int wake_fd; /* eventfd that workers write to */
        int error_fd;              /* our standard error, for templates to inherit */
        uint64_t descriptor_limit; /* the soft RLIMIT_NOFILE that systemd gave us */
        Parking *parking;
        Queue *queue;
        Control *control;
        Notify *notify;
        StatusServer *status_server;
        LogLoss *log_loss;

        PoolState state;
        ReloadReason reason;    /* in POOL_RELOADING */
        bool reload_again;      /* a reload was asked for while one was running */
        StopReason stop;        /* why it ends */
        int exit_status;
        Generation *current;    /* serves */
        Generation *next;       /* starts */
        Generation *retired;    /* list: finish their requests */
        uint64_t last_generation;

        bool demand;            /* a connection waits and there is no worker */
        bool tick;              /* the maintenance timer elapsed */
        usec_t last_spawn;      /* CLOCK_MONOTONIC */
        size_t last_batch;
        usec_t hold_spawn;      /* CLOCK_MONOTONIC: no worker is ordered before */
        unsigned n_replaced;       /* templates in a row that did not live long */
        unsigned n_replace_failed; /* attempts in a row to start another that failed */
        usec_t replace_at;      /* CLOCK_MONOTONIC: when to try again; 0 for no need */
        bool other_build_told;  /* it was said that the template to replace it is of another build */
        bool start_told;        /* it was said that the next generation takes its time */
        Idle idle;
        Saturation saturation;
        Deaths deaths;

        usec_t start_time;      /* CLOCK_REALTIME */
        Totals totals;
        bool watched; /* somebody asked for the status not long ago */
} Manager;

/* Sets everything up and starts the first generation; config becomes the manager's. Logs. 0 or -errno. */
int manager_new(const char *pool, const char *config_path, Config *config, Listen *listen, Manager **ret);
void manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free)

/* Runs the pool until it ends. The exit status of the process, or -errno. */
int manager_run(Manager *m);

/* Something happened: take a step at the end of this turn of the loop. */
void manager_changed(Manager *m);

/* Reads the pool file and starts a new generation; control_reload_done() tells the outcome. */
void manager_reload(Manager *m);

/* No new work; running requests finish; then the loop ends. Only the first reason counts. */
void manager_stop(Manager *m, StopReason why);

/* A worker died unexpectedly: what the kernel had told only that one of is not left lying. */
void manager_rouse(Manager *m);

/* Orders no worker for a while: longer, the more in a row (from 1) did not come to be. */
void manager_hold_spawn(Manager *m, unsigned n_failed);

/* One step of the pool's life, in state.c. */
void manager_step(Manager *m);

/* The one behind g, of all that a pool has; of NULL the first, and NULL behind the last. */
static inline Generation *manager_generation_after(const Manager *m, const Generation *g)
{
        if (!g && m->current)
                return m->current;
        if ((!g || g == m->current) && m->next)
                return m->next;
        return !g || g == m->current || g == m->next ? m->retired : g->older;
}

/* Each generation: the one that serves, the one that starts, those that end. None may be freed meanwhile. */
#define FOREACH_GENERATION(g, m)                                                                            \
        for (Generation *g = manager_generation_after(m, NULL); g; g = manager_generation_after(m, g))

/* Adopts a freshly parsed config, whose php_version is known, as the next generation. 0 or -errno. */
int manager_start_generation(Manager *m, Config *config);

/* What the start of a generation waits for, for STATUS=, once that has been said; "" for nothing. */
#define START_TEXT_MAX 192
void manager_start_waits_for(const Manager *m, char text[START_TEXT_MAX]);

/* The template is gone, and has failed to start again so often in a row that it will hardly do so. */
bool manager_lost_template(const Manager *m);

void manager_set_state(Manager *m, PoolState state);
