/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's status (scoreboard/status.def), as the manager knows it. */

#include "manager/manager.h"
#include "scoreboard/status.h"

/* Replaces control characters but the line break, and all that is not ASCII, with "?". */
void report_make_ascii(char *s);

/* The pool's own figures; looks at the queue. Strings are the manager's. */
void report_pool(const Manager *m, PoolStatus *ret);

/* Appends "a{sv}aa{sv}": the pool, and each worker of every generation. 0 or -errno. */
int report_append(const Manager *m, sd_bus_message *message);
