/* SPDX-License-Identifier: MIT */
#pragma once

/* systemd's watchdog (sd_watchdog_enabled(3)): a ping says that the pool can serve. */

#include "manager/pool/pool.h"

typedef struct Watchdog Watchdog;

/*
 * Sets up the timer where systemd asks for pings, and notes that in Pool.health; otherwise *ret is NULL. The
 * pool must outlive it. 0 or -errno.
 */
int watchdog_new(Pool *p, Watchdog **ret);
void watchdog_free(Watchdog *w);
DEFINE_CLEANUP(Watchdog *, watchdog_free)

/* After a step: pings where a ping is due and the verdict allows it. NULL is fine. */
void watchdog_look(Watchdog *w);
