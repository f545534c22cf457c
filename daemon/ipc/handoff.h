/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections on their way between the manager and whichever worker is idle, over one SOCK_SEQPACKET pair a
 * pool: a worker parks a kept connection that has nothing to say ("park", worker to manager); the manager
 * hands it back when it becomes readable ("resume", manager to any worker). One message, one descriptor.
 */

#include "base/fd.h"

typedef struct Handoff {
        bool unix_socket; /* the connection is over AF_UNIX */
} Handoff;

/*
 * Sends a connection; the caller keeps its copy and closes it. 0 or -errno; -EAGAIN when the queue is full.
 */
int handoff_send(int socket, const Handoff *handoff, int connection);

/*
 * Receives one. 1 and the descriptor, CLOEXEC, the caller's; 0 when the other side is gone; -EAGAIN; -errno.
 */
int handoff_receive(int socket, Handoff *ret, int *ret_connection);
