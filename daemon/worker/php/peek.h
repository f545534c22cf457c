/* SPDX-License-Identifier: MIT */
#pragma once

/* The memory of another process, read while it runs. See peek.c. */

#include "base/util.h"

typedef struct Peek Peek;

/* memory is a descriptor of the process's /proc/PID/mem, borrowed. Reads nothing yet. 0 or -ENOMEM. */
int peek_new(int memory, Peek **ret);
void peek_free(Peek *peek);
DEFINE_CLEANUP(Peek *, peek_free)

/*
 * Copies what stands at an address there. It may have been read some microseconds before, since the last
 * peek_forget(), and a part of it before another. 0; -EFAULT for an address where nothing is, whatever it
 * is; -ESRCH for a process that is gone.
 */
int peek_read(Peek *peek, uintptr_t address, void *to, size_t size);

/* What is read from now on is read anew. */
void peek_forget(Peek *peek);

/* How many system calls it took so far. */
size_t peek_calls(const Peek *peek);
