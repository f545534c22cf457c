/* SPDX-License-Identifier: MIT */
#pragma once

/* What systemd knows of pools' units: org.freedesktop.systemd1(5). */

#include <systemd/sd-bus.h>

#include "base/util.h"

typedef struct UnitState {
        char *active; /* "active", "inactive", "failed", … */
        char *sub;    /* "running", "listening", "dead", … */
} UnitState;

void unit_state_clear(UnitState *state);

/*
 * Connects to systemd over the system bus; for root also where there is no bus daemon. 0 and a connection,
 * which the caller frees with sd_bus_flush_close_unref(); or -errno.
 */
int systemd_connect(sd_bus **ret);

/*
 * Called for each pool that has a loaded service or socket unit, possibly twice. A negative return ends it.
 */
typedef int OnPool(const char *pool, void *userdata);
int systemd_each_pool(sd_bus *bus, OnPool *on_pool, void *userdata);

/*
 * The state of "php-pool@POOL" with this suffix (".service", ".socket"). 0 and *ret, to be cleared; or
 * -errno.
 */
int systemd_unit_state(sd_bus *bus, const char *pool, const char *suffix, UnitState *ret);

/*
 * Whether systemd says that no process of a pool serves with old settings: the pool is stopped, or being
 * stopped or started. False where systemd cannot be asked.
 */
bool systemd_pool_rests(const char *pool);

/*
 * Whether a start of the pool has failed and systemd waits to try it again: no process of it runs, so
 * nothing answers on its sockets. False where systemd cannot be asked, also for a bus of NULL.
 */
bool systemd_pool_is_retried(sd_bus *bus, const char *pool);

/* The same, and also true while a start of the pool is under way. */
bool systemd_pool_is_starting(sd_bus *bus, const char *pool);

/*
 * The addresses that the pool's socket unit listens on; the caller frees them with ctl_names_free(). 0 or
 * -errno.
 */
int systemd_listen(sd_bus *bus, const char *pool, char ***ret_addresses, size_t *ret_n);
