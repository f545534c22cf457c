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
        char *unit; /* the system unit that it is of, NULL for none */
} Peer;

/*
 * Asks the kernel about the socket's peer, as it was when it connected. peer_clear() in any case. 0 or
 * -errno.
 */
int peer_read(int socket, Peer *ret);
void peer_clear(Peer *peer);

/*
 * Gives this process the user and the groups of the peer, and no others, for good. It may be as little as
 * the peer, and no group is looked up. One capability stays, for what it executes, too: by it, the peer and
 * other processes of its user, in a sandbox without capabilities, cannot open the memory of this one and so
 * leave their sandbox. 0 or -errno, and then it must not go on.
 */
int peer_become(const Peer *peer);

/*
 * The environment of a program that runs for the peer: PATH, and the user's name. HOME is no directory: what
 * lies in the user's own may have been written by a script, and must not say how programs run here. The
 * array and its strings are the caller's: strv_free(). 0 or -ENOMEM.
 */
int peer_environment(const Peer *peer, char ***ret);
