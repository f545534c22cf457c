/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The template's view into the memory of its workers, for the slow log: a descriptor of /proc/PID/mem for
 * each, which the worker itself opened, for reading only. See memory-fds.c.
 */

#include <sys/types.h>

#include "base/util.h"

typedef struct MemoryFds MemoryFds;

/* For workers of so many slots. The template's limit of descriptors is raised for them. 0 or -errno. */
int memory_fds_new(size_t n_slots, MemoryFds **ret);
void memory_fds_free(MemoryFds *m);
DEFINE_CLEANUP(MemoryFds *, memory_fds_free)

/* In a process that was forked from the template: closes all that leads to other workers' memory. */
void memory_fds_close(MemoryFds *m);

/* The same, and nothing of m is left open; the limit of descriptors is the old one again. */
void memory_fds_leave(MemoryFds *m);

/*
 * In a new worker, before anything of a script runs, behind memory_fds_close(): opens its memory, passes it
 * to the template, and leaves m, so that a script reaches nothing of it. dumpable: it is so anyway. 0 or
 * -errno: there is no backtrace of it then.
 */
int memory_fds_give(MemoryFds *m, size_t slot, bool dumpable);

/* In the template: takes what workers have given by now. */
void memory_fds_take(MemoryFds *m);

/* The descriptor of this worker, borrowed until the next call for m; -ENOENT where it gave none. */
int memory_fds_find(MemoryFds *m, size_t slot, pid_t pid);
