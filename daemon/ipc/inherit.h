/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a template inherits from the manager: these descriptors and nothing else. They cross execve(2) under
 * the numbers that its arguments name: "php-pool-worker POOL settings=3 scoreboard=4 … listen=8 listen=9".
 */

#include "base/fd.h"

#define INHERIT_LISTEN_MAX 32

/* INHERIT(name): what each one is */
#define INHERIT_LIST                                                                                        \
        INHERIT(settings)   /* sealed memfd, config_unseal() */                                             \
        INHERIT(scoreboard) /* memfd, scoreboard_map() */                                                   \
        INHERIT(channel)    /* SOCK_SEQPACKET, messages.h */                                                \
        INHERIT(handoff)    /* SOCK_SEQPACKET, handoff.h: connections to and from the manager */            \
        INHERIT(limit)      /* timerfd: the manager looks at the time limits of requests */                 \
        INHERIT(wake)       /* eventfd: a write wakes the manager */                                        \
        INHERIT(error)      /* the manager's standard error; what is the template's goes to the manager */

typedef struct Inherit {
#define INHERIT(name) int name;
        INHERIT_LIST
#undef INHERIT
        int listen[INHERIT_LISTEN_MAX]; /* listening sockets that systemd passed */
        size_t n_listen;

        uint64_t descriptor_limit; /* no argument: the template's soft RLIMIT_NOFILE */
} Inherit;

#define INHERIT_NAMED (offsetof(Inherit, listen) / sizeof(int))
#define INHERIT_MAX (INHERIT_NAMED + INHERIT_LISTEN_MAX)

/* All descriptors in one array of at least INHERIT_MAX; returns how many. */
size_t inherit_list(const Inherit *inherit, int *fds);

/*
 * Makes the argument vector for execve(2), NULL-terminated; argv[0] and argv[1] are copies of the first two
 * arguments. The caller frees it with inherit_argv_free(). 0 or -ENOMEM.
 */
int inherit_format(const Inherit *inherit, const char *executable, const char *pool, char ***ret_argv);
void inherit_argv_free(char **argv);

/*
 * Reads such arguments (those behind the pool's name), checks that each descriptor is open, and sets it
 * CLOEXEC. -EINVAL for an unknown, missing or repeated one; -EBADF for one that is not open. 0 or -errno.
 */
int inherit_parse(int argc, char **argv, Inherit *ret);
