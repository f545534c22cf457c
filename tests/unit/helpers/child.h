/* SPDX-License-Identifier: MIT */
#pragma once

/* Processes of a test's own. */

#include <sys/types.h>

/* fork(2); the child does not outlive the test. */
pid_t fork_child(void);

/* Waits for a child, which has to exit with this status. */
void expect_exit(pid_t pid, int status);

/* Kills a child that runs, and reaps it. */
void end_child(pid_t pid);
