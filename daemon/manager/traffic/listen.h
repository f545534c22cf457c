/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets that systemd passed (sd_listen_fds(3)). They are systemd's: never shut down, never unlinked.
 */

#include "ipc/inherit.h"

typedef struct Listen {
        int fds[INHERIT_LISTEN_MAX]; /* stream sockets that listen, CLOEXEC, non-blocking */
        size_t n;
        int status[INHERIT_LISTEN_MAX]; /* the same, on which the manager itself shows the status */
        size_t n_status;
        int control;  /* the control socket, CLOEXEC, non-blocking; -EBADF for none */
        bool over_ip; /* one of all these is no Unix socket */
        int *parked;  /* connections from the descriptor store: whoever takes one sets it to -EBADF */
        size_t n_parked;
} Listen;

/*
 * Takes the descriptors over from the environment and removes LISTEN_* from it. Logs and returns -ENOTCONN
 * when there is none, -EINVAL for one that is no listening stream socket, or a control socket that is no
 * Unix socket or not the only one, -errno. Without a control socket it warns: the pool serves, but nobody
 * can command it.
 */
int listen_take(const char *pool, Listen *ret);

/* Closes our copies; systemd keeps its own. */
void listen_close(Listen *listen);
