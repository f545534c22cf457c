/* SPDX-License-Identifier: MIT */
#pragma once

/* What the parts of a step have in common: state.c, idle.c, drain.c. */

#include "manager/manager.h"

/* Remembers the earliest deadline of this step. 0 is none. */
static inline void earlier(usec_t *earliest, usec_t deadline)
{
        if (deadline > 0 && deadline < *earliest)
                *earliest = deadline;
}

/* Watches the listening sockets: for the next connection, once, or not. */
void manager_watch_sockets(Manager *m, bool watch);
