/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Programs that requests left running, as by exec("nohup … &"): whatever is a child of the manager, which is
 * a subreaper, and no process of its own. What such a program started itself is covered by it as long as it
 * lives, and becomes a child here when it ends.
 */

#include <sys/types.h>

#include "base/util.h"

/* What is kept of a program's name: as much as the kernel has (proc(5), comm). */
#define LEFT_NAME_MAX 16

typedef struct Left {
        size_t n;
        pid_t pid;                /* of one of them, which stays the same while it lives; 0 for none */
        char name[LEFT_NAME_MAX]; /* of that one, printable */
} Left;

/*
 * Picks the children out of a list of pids (proc(5), children: separated by blanks) that are not ours, own.
 * Of these it prefers the one that ret->pid names already. Pure.
 */
void left_pick(const char *list, pid_t own, Left *ret);

/*
 * Looks at this process's children. ret->pid is what the last look found, 0 for nothing. 0, or -errno where
 * the system does not tell (no /proc, or a kernel without CONFIG_PROC_CHILDREN); *ret is of no program then.
 */
int left_look(pid_t own, Left *ret);

/* Logs the sentence, and behind it what was found, which must be something: ": process 17 (sleep)." */
void left_tell(const Left *left, const char *message_id, const char *sentence);
