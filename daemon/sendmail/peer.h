/* SPDX-License-Identifier: MIT */
#pragma once

/* The process at the other end of a connection, as the kernel knows it, and becoming its user. */

#include <sys/types.h>

#include "base/util.h"

typedef struct Peer {
        pid_t pid;
        uid_t uid;
        gid_t gid;
        gid_t *groups; /* supplementary */
        size_t n_groups;
        char *unit; /* its system unit, NULL for none */
} Peer;

/*
 * Asks the kernel for the process at the other end of the socket, as it was when it connected. The caller
 * uses peer_clear() in any case. 0 or -errno.
 */
int peer_read(int socket, Peer *ret);
void peer_clear(Peer *peer);

/*
 * Gives this process the user and the groups of the peer, and no others, for good. No group is looked up.
 * One capability stays, also for the program that it executes: it keeps the peer, and other processes of
 * that user in a sandbox without capabilities, from opening the memory of this process, and so from
 * leaving their sandbox. 0 or -errno, and then the process must not go on.
 */
int peer_become(const Peer *peer);

/*
 * Makes the environment of a program that runs for the peer: PATH, and the user's name. HOME names no
 * directory, since a script may have written files into the user's own, and those must not say how
 * programs run here. The caller frees the array and its strings: strv_free(). 0 or -ENOMEM.
 */
int peer_environment(const Peer *peer, char ***ret);
