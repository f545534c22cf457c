/* SPDX-License-Identifier: MIT */
#pragma once

/* Waiting for descriptors. */

#include <poll.h>

#include "base/time.h"

/*
 * Waits for poll(2) events on fd; an error or hang-up on it also ends the wait. 0, -ETIMEDOUT when the
 * deadline (CLOCK_MONOTONIC, USEC_INFINITY for none) has passed, or -errno.
 */
int wait_for(int fd, short events, usec_t deadline);

/* The same for any of n descriptors, as poll(2) takes them; revents are filled in. */
int wait_for_any(struct pollfd *fds, size_t n, usec_t deadline);
