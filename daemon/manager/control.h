/* SPDX-License-Identifier: MIT */
#pragma once

/* The manager's side of the control socket: see ipc/control.h. */

#include "manager/manager.h"

/* Opens the socket and serves it in the loop. -ENOENT when the directory is not there. 0 or -errno. */
int control_new(Manager *m, Control **ret);

/* Closes and removes the socket and every connection; NULL is fine. Returns NULL. */
Control *control_free(Control *c);
DEFINE_CLEANUP(Control *, control_free)

/*
 * A reload ended: answers all who wait for it; error is NULL for success. Who called while it ran goes on
 * waiting if Manager.reload_again is set.
 */
void control_reload_done(Control *c, const char *error);
