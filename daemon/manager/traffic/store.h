/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * systemd's descriptor store (FDSTORE=1, sd_pid_notify_with_fds(3)), where connections wait for the next
 * manager. They come back with the listening sockets, under the name of their protocol
 * (protocol_stored_name()).
 *
 * A manager cannot be started with more descriptors than the soft RLIMIT_NOFILE that systemd starts it
 * with, and systemd needs some numbers twice. Nor should there be more than FileDescriptorStoreMax= of the
 * service: systemd compares each one that comes with all that it has, and does nothing else meanwhile.
 */

#include "ipc/handoff.h"
#include "manager/traffic/lot.h"

#define STORE_MAX 4096U
#define STORE_SPARE 64U /* for the sockets and others that go along */

/* How many connections may be stored, where the soft RLIMIT_NOFILE is this. Pure. */
size_t store_max(uint64_t descriptor_limit);

/*
 * Stores a connection, which stays the caller's, if there is room for one (*left), and no part of a request
 * was read of it: what follows would be taken for the start of one.
 */
void store_connection(const Origin *origin, int connection, size_t *left);

/* Stores what waits in the hand-off queue, which is empty then. */
void store_queued(int worker_fd, size_t *left);

/* Stores what is parked, first those whose client has said something. The lot keeps them. */
void store_lot(const Lot *lot, size_t *left);
