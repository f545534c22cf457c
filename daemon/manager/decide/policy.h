/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * How many workers a pool should have: pure functions, without clock, descriptors or globals. The words are
 * PHP-FPM's (pm.*). The difference is when the question is asked: at an event, not every second.
 */

#include "config/config.h"

/* The pool as it is. */
typedef struct PoolView {
        size_t idle;     /* of the current generation, waiting for work */
        size_t busy;     /* of the current generation, with a request */
        size_t starting; /* of the current generation, ordered or not yet ready */
        size_t old;      /* workers of earlier generations that still live, and retiring ones */
        size_t expired;  /* of the idle ones: idle for longer than pm.process_idle_timeout */
        usec_t expiry;   /* until the next of the idle ones is idle for so long, or could be */
        size_t last;     /* workers spawned by the step before, if that was a moment ago */
        bool sized;      /* the generation has had its first sizing: start_servers no longer counts */
        bool demand;     /* connections wait and no worker is there */
        bool leaving;    /* idle_exit is due: no worker is wanted */
        bool tick;       /* the maintenance timer, not an event, asks: surplus workers may go */
} PoolView;

/* What to do. */
typedef struct PoolStep {
        size_t spawn;
        bool more;       /* pm.max_spawn_rate kept some back: they are for the next batch */
        size_t retire;   /* that many of the idle ones, the longest idle first */
        unsigned least;   /* wake the manager when fewer are idle; 0 for never */
        unsigned surplus; /* wake the manager when as many are idle; 0 for never */
        usec_t again;    /* run the maintenance timer after this time; 0 for never */
        bool watch;      /* watch the listening sockets: no worker does */
        bool saturated;  /* more workers are wanted than pm.max_children allows */
} PoolStep;

PoolStep pool_decide(const Config *config, const PoolView *view);
