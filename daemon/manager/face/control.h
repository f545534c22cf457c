/* SPDX-License-Identifier: MIT */
#pragma once

/* The manager's side of the control socket: see ipc/control.h. */

#include "manager/manager.h"

/*
 * Serves the control socket, Listen.control, in the loop; the descriptor stays the Listen's. 0, with *ret
 * NULL where there is none, or -errno.
 */
int control_new(Manager *m, Control **ret);

/*
 * Ends every connection, also those that nobody has taken yet, and looks at the socket no more; NULL is
 * fine. Returns NULL.
 */
Control *control_free(Control *c);
DEFINE_CLEANUP(Control *, control_free)

/*
 * A reload ended: answers all who wait for it; error is NULL for success. Who called while it ran goes on
 * waiting if Manager.reload_again is set.
 */
void control_reload_done(Control *c, const char *error);
