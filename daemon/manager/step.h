/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The end of a turn of the loop. Handlers of events have recorded facts and wishes in the book
 * (pool/pool.h); the step has life/ act on them. Then the faces look at the book, and tell others what has
 * changed since they looked last. At the end, what wakes the manager next is set.
 */

#include "manager/face/control.h"
#include "manager/face/notify.h"
#include "manager/face/watchdog.h"
#include "manager/pool/pool.h"

/* What a step goes through; all of it is the manager's. */
typedef struct Step {
        Pool *pool;

        /* Faces that look; NULL for one that there is not. */
        Control *control;
        Notify *notify;
        Watchdog *watchdog;

        sd_event_source *timer_source; /* the earliest deadline that the last step found */
        sd_event_source *listen_sources[INHERIT_LISTEN_MAX];
} Step;

/* The handler of Pool.step_source, which pool_changed() switches on; userdata is the Step. */
int step_on_turn(sd_event_source *s, void *userdata);
