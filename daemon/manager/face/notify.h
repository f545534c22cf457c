/* SPDX-License-Identifier: MIT */
#pragma once

/* What systemd is told (sd_notify(3)): readiness, reloads, the end, and one line of status. */

#include "manager/pool/pool.h"

typedef struct Notify Notify;

/* The pool must outlive it. 0 or -ENOMEM. */
int notify_new(Pool *p, Notify **ret);
void notify_free(Notify *n);
DEFINE_CLEANUP(Notify *, notify_free)

/*
 * After a step: tells READY, RELOADING or STOPPING where the pool's state has changed, extends systemd's
 * time-out while something takes its time, and sends STATUS= with live figures: at once when the state or
 * the verdict of the health has changed, otherwise where a figure has, no more than once a second. When to
 * look again at the latest (CLOCK_MONOTONIC), USEC_INFINITY for whenever something happens.
 */
usec_t notify_look(Notify *n, usec_t now);
