/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A child that asks the kernel something, in place of a program that must not wait for ever. Where a user
 * mounts file systems of its own (FUSE), it is the user that answers, or does not.
 */

#include <sys/types.h>

#include "base/util.h"

/*
 * Waits for the end of a child. 0 or -errno, as its exit status says, which is a positive errno value;
 * -ETIMEDOUT for one that is late. That one is killed and not waited for: it may be in the kernel still, or
 * stopped, since its user may signal it.
 */
int child_wait(pid_t pid, int msec);
