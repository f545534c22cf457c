/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What is spoken on a socket, and on each connection that was taken from it, wherever it goes: from the
 * listening socket over a worker and the manager to another worker, and through systemd's descriptor store.
 */

#include "base/util.h"

/*
 * PROTOCOL(id, stored): each one that this build speaks. Its name is that of the socket of this id in
 * names.def.
 *   stored  FDNAME= of such connections in the descriptor store: it stays what it is, since the next manager
 *           may be of another version
 */
#define PROTOCOL_LIST PROTOCOL(FASTCGI, "parked")

typedef enum Protocol {
#define PROTOCOL(id, stored) PROTOCOL_##id,
        PROTOCOL_LIST
#undef PROTOCOL
        _PROTOCOL_MAX,
} Protocol;

/* A listening socket or a connection, and what is spoken on it. */
typedef struct ProtocolSocket {
        int fd;
        Protocol protocol;
} ProtocolSocket;

/* "fastcgi": FileDescriptorName= of such a socket. */
const char *protocol_name(Protocol protocol);

/* FDNAME= of such a connection in the descriptor store. */
const char *protocol_stored_name(Protocol protocol);

/* The protocol of this name, of n bytes. 0, or -EPROTONOSUPPORT for one that this build does not speak. */
int protocol_from_name(const char *name, size_t n, Protocol *ret);

/* The same for the name of a connection in the descriptor store. */
int protocol_from_stored_name(const char *stored, Protocol *ret);
