/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections on their way between the manager and whichever worker is idle, over one SOCK_SEQPACKET pair a
 * pool: a worker parks a kept connection that has nothing to say ("park", worker to manager); the manager
 * hands it back when it becomes readable ("resume", manager to any worker). One message, one descriptor.
 *
 * A worker that wants the pool's status sends its question the same way, with one end of a SOCK_SEQPACKET
 * pair. The manager sends the same message back over that, with a sealed memfd that holds the page.
 */

#include "base/fd.h"

typedef enum HandoffKind {
        HANDOFF_CONNECTION,
        HANDOFF_STATUS,
} HandoffKind;

/* All zero is a connection over something else than AF_UNIX. */
typedef struct Handoff {
        uint8_t kind;     /* HandoffKind */
        bool unix_socket; /* the connection is over AF_UNIX */
        uint8_t format;   /* of the status: scoreboard/dump.h's DumpFormat */
        uint8_t full;     /* it is to have the workers */
} Handoff;

/*
 * Sends a message with its descriptor; the caller keeps its copy and closes it. 0 or -errno; -EAGAIN when
 * the queue is full.
 */
int handoff_send(int socket, const Handoff *handoff, int connection);

/*
 * Receives one. 1 and the descriptor, CLOEXEC, the caller's; 0 when the other side is gone; -EAGAIN; -errno.
 */
int handoff_receive(int socket, Handoff *ret, int *ret_connection);
