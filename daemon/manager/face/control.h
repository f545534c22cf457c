/* SPDX-License-Identifier: MIT */
#pragma once

/* The manager's side of the control socket: see ipc/control.h. */

#include "manager/pool/pool.h"

typedef struct Control Control;

/*
 * Serves the control socket, Listen.control, in the loop; the descriptor stays the Listen's, and the pool
 * must outlive it. 0, with *ret NULL where there is none, or -errno.
 */
int control_new(Pool *p, Control **ret);

/* Ends every connection, also those that nobody has taken yet. NULL is fine. */
void control_free(Control *c);
DEFINE_CLEANUP(Control *, control_free)

/*
 * After a step: answers each client whose reload has ended; and when the pool has ended, ends every
 * connection and looks at the socket no more. NULL is fine.
 */
void control_look(Control *c);
