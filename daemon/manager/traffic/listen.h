/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets that systemd passed (sd_listen_fds(3)). They are systemd's: never shut down, never unlinked.
 */

#include "ipc/inherit.h"

/* What a descriptor that systemd passed is for, which its name says (FileDescriptorName=, FDNAME=). */
typedef enum ListenUse {
        LISTEN_SERVE, /* workers take connections from it */
        LISTEN_STATUS,
        LISTEN_CONTROL,
        LISTEN_PARKED, /* a connection that the manager before us has left in the descriptor store */
} ListenUse;

typedef struct Listen {
        ProtocolSocket sockets[INHERIT_LISTEN_MAX]; /* stream sockets that listen, CLOEXEC, non-blocking */
        size_t n;
        int status[INHERIT_LISTEN_MAX]; /* the same, on which the manager itself shows the status */
        size_t n_status;
        int control;  /* the control socket, CLOEXEC, non-blocking; -EBADF for none */
        bool over_ip; /* one of all these is no Unix socket */
        ProtocolSocket *parked; /* LISTEN_PARKED: whoever takes one sets its fd to -EBADF */
        size_t n_parked;
} Listen;

/*
 * What a descriptor of this name is for, and for LISTEN_SERVE and LISTEN_PARKED what is spoken there:
 * FastCGI also where the name is none of names.def's. 0, or -EPROTONOSUPPORT for a name of ours that this
 * build has no use for.
 */
int listen_use_of_name(const char *name, ListenUse *ret_use, Protocol *ret_protocol);

/*
 * Takes the descriptors over from the environment and removes LISTEN_* from it. Logs and returns -ENOTCONN
 * when there is none, -EPROTONOSUPPORT as above, -EINVAL for one that is no listening stream socket, or a
 * control socket that is no Unix socket or not the only one, -errno. Without a control socket it warns:
 * the pool serves, but nobody can command it.
 */
int listen_take(const char *pool, Listen *ret);

/* Closes our copies; systemd keeps its own. */
void listen_close(Listen *listen);
