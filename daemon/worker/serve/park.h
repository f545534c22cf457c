/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * To park a connection is to hand it to the manager, which hands it to whichever worker is idle when its
 * client has something to say (ipc/handoff.h). `handoff` is the worker's socket to the manager.
 */

#include "worker/transport/transport.h"

/* Gives the manager a connection; the descriptors stay the caller's. 0 or -errno: handoff_send(). */
int park_fd(int handoff, const Origin *origin, int fd);

/*
 * Parks the connection, with what is in our memory of it, and closes it here. 0, also where it had to be
 * closed; or -EAGAIN while the manager can take no more.
 */
int park(int handoff, Connection *connection);

/*
 * Where that failed: waits until the connection can be parked, has something to say, or something comes on
 * the retire descriptor (-EBADF for none). True where it is to be read: it has something to say, or is late
 * with it.
 */
bool park_wait(int handoff, const Connection *connection, int retire_fd);
