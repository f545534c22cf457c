/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections on their way between the manager and whichever worker is idle, over one SOCK_SEQPACKET pair a
 * pool: a worker parks a kept connection that has nothing to say ("park", worker to manager); the manager
 * hands it back when it becomes readable ("resume", manager to any worker). One message, one descriptor.
 *
 * A client that has sent part of a request's head and no more holds no worker either: what was read of it
 * goes with the connection, as a sealed memfd that only workers look into (fcgi_decoder_save()), and so does
 * the time by which the head must be complete, which no hand-off starts anew.
 *
 * A worker that wants the pool's status sends its question the same way, with one end of a SOCK_SEQPACKET
 * pair. The manager sends the same message back over that, with a sealed memfd that holds the page.
 */

#include "base/fd.h"
#include "base/time.h"

/* The most that is passed on of a head, beyond what the bounds of base/params.h can make of one. */
#define HANDOFF_HEAD_MAX (4U * 1024U * 1024U)

typedef enum HandoffKind {
        HANDOFF_CONNECTION,
        HANDOFF_STATUS,
} HandoffKind;

/* All zero is a connection over something else than AF_UNIX. */
typedef struct Handoff {
        uint8_t kind;     /* HandoffKind */
        bool unix_socket; /* the connection is over AF_UNIX */
        uint8_t format;   /* of the status: status/dump.h's DumpFormat */
        uint8_t full;     /* it is to have the workers */
        uint8_t moves;    /* how often this head went to the manager; 255 also for more */
        int head;         /* this process's descriptor of what was read of a head; 0 for nothing */
        usec_t deadline;  /* CLOCK_MONOTONIC: when the head must be complete; 0 without one */
} Handoff;

/*
 * Sends a message with its descriptors; the caller keeps its copies and closes them. 0 or -errno; -EAGAIN
 * when the queue is full.
 */
int handoff_send(int socket, const Handoff *handoff, int connection);

/*
 * Receives one. 1 and the descriptors (ret->head is one where it is not 0), CLOEXEC, the caller's; 0 when the
 * other side is gone; -EAGAIN; -errno.
 */
int handoff_receive(int socket, Handoff *ret, int *ret_connection);

/* Closes the descriptors of a message. -EBADF. */
int handoff_close(Handoff *handoff, int connection);
