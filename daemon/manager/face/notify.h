/* SPDX-License-Identifier: MIT */
#pragma once

/* What systemd is told (sd_notify(3)): readiness, reloads, the end, one line of status, the watchdog. */

#include "manager/manager.h"

/* Sets up the watchdog's timer where systemd asks for pings (sd_watchdog_enabled(3)). 0 or -errno. */
int notify_new(Manager *m, Notify **ret);
void notify_free(Notify *n);
DEFINE_CLEANUP(Notify *, notify_free)

/*
 * The state changed from before: tells READY, RELOADING or STOPPING as it needs, and STATUS= with live
 * figures.
 */
void notify_state(Manager *m, PoolState before);

/*
 * Something happened: STATUS= where its figures have changed, no more than once a second. When it was too
 * early to look, the time to call again (CLOCK_MONOTONIC), else 0.
 */
usec_t notify_refresh(Manager *m, usec_t now);

/*
 * Why a pool stops that gets SIGTERM: systemd's watchdog sends it while pings are withheld; otherwise
 * systemd stops a pool by php-poolctl (ExecStop=).
 */
StopReason notify_stop_reason(const Notify *n);

/* Why pings are withheld, as a part of a sentence; "ok"; or "not watched" where systemd asks for none. */
const char *notify_health(const Notify *n);

/* Starting or draining goes on: extends systemd's time-out by the given time. */
void notify_extend(usec_t by);
