/* SPDX-License-Identifier: MIT */
#pragma once

/* What is to be sent to a client that need not take it at once: a buffer that leaves piece by piece. */

#include "base/util.h"

/* All zero is empty. */
typedef struct Outbox {
        uint8_t *bytes;
        size_t size, sent;
} Outbox;

/* How many bytes are still to be sent. */
size_t outbox_pending(const Outbox *outbox);

/* Adds so many bytes, at least one, for the caller to fill. NULL: no memory. */
uint8_t *outbox_extend(Outbox *outbox, size_t size);

/* Adds these. 0 or -ENOMEM. */
int outbox_append(Outbox *outbox, const void *bytes, size_t size);

/*
 * Sends what this socket takes now. 1 when all has left, and the memory with it; 0 when there is more; or
 * -errno.
 */
int outbox_send(Outbox *outbox, int socket);

/* Forgets all of it. */
void outbox_clear(Outbox *outbox);
