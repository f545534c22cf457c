/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a template inherits from the manager: these descriptors and nothing else. They cross execve(2) under
 * the numbers that its arguments name:
 *
 *   php-pool-worker-8.2 POOL build=IDENTITY settings=3 scoreboard=4 … listen=fastcgi:8 listen=fastcgi:9
 *
 * An upgrade may replace the worker while a manager of the build before runs. So the identity of the
 * manager's build comes before all that depends on the build, and a worker of another one reads on no
 * further. These places never change: the name of the pool first, then "build=", and
 * EXIT_STATUS_OTHER_BUILD.
 *
 * A reload of a manager that is no longer the one which is installed goes through that one,
 *
 *   php-poold --worker=PROGRAM POOL build=IDENTITY …
 *
 * which executes the program with the same arguments, if it is of the same build.
 */

#include "base/fd.h"
#include "ipc/protocol.h"

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
        ProtocolSocket listen[INHERIT_LISTEN_MAX]; /* those that systemd passed and workers serve */
        size_t n_listen;

        uint64_t descriptor_limit; /* no argument: the template's soft RLIMIT_NOFILE */
        const char *through;       /* no argument: the php-poold to go through, or NULL */
} Inherit;

#define INHERIT_NAMED (offsetof(Inherit, listen) / sizeof(int))
#define INHERIT_MAX (INHERIT_NAMED + INHERIT_LISTEN_MAX)

/* All descriptors in one array of at least INHERIT_MAX; returns how many. */
size_t inherit_list(const Inherit *inherit, int *fds);

/* What this build's managers and workers have in common with no other's: a word (identity.py). */
const char *build_identity(void);

/* In argv[1] of a php-poold that others go through, before the path of the worker's program. */
#define INHERIT_THROUGH "--worker="

/* In the template's environment: the number of its generation. */
#define INHERIT_GENERATION "PHP_POOL_GENERATION"

/* Where in a worker's argv the identity is, and where what inherit_parse() reads begins. */
#define INHERIT_ARGV_BUILD 2
#define INHERIT_ARGV_FIRST 3

/*
 * Makes the argument vector for execve(2), NULL-terminated; argv[0] and argv[1] are copies of the first two
 * arguments. The caller frees it with inherit_argv_free(). 0 or -ENOMEM.
 */
int inherit_format(const Inherit *inherit, const char *executable, const char *pool, char ***ret_argv);
void inherit_argv_free(char **argv);

/* Whether the manager that a whole argv of a worker comes from is of our build. */
bool inherit_is_same_build(int argc, char **argv);

/*
 * Reads such arguments (those from INHERIT_ARGV_FIRST on), checks that each descriptor is open, and sets it
 * CLOEXEC. -EINVAL for an unknown, missing or repeated one; -EPROTONOSUPPORT for a listening socket whose
 * protocol this build does not speak; -EBADF for one that is not open. 0 or -errno.
 */
int inherit_parse(int argc, char **argv, Inherit *ret);
