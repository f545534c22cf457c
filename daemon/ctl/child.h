/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A child that asks the kernel something, in place of a program that must not wait for ever: where a user
 * mounts file systems of its own (FUSE), the kernel waits for that user's answer.
 */

#include <sys/types.h>

#include "base/util.h"

/*
 * Waits for a child to end, for msec milliseconds. 0 or -errno, as its exit status says, which is a
 * positive errno value; -ETIMEDOUT for a child that is late. A late child is killed and not waited for: it
 * may still be in the kernel, or stopped, since its user may signal it.
 */
int child_wait(pid_t pid, int msec);
