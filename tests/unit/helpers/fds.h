/* SPDX-License-Identifier: MIT */
#pragma once

/* Descriptors: how many there are, pairs of sockets, and what has come at one of them. */

#include <stddef.h>

/* How many descriptors this process has. */
size_t count_fds(void);

/* Two connected sockets, CLOEXEC: a stream that blocks, and messages that do not. */
void open_stream(int pair[static 2]);
void open_queue(int pair[static 2]);
void close_pair(int pair[static 2]);

/* The other end has closed the connection, and nothing is left to read. Waits for that. */
void expect_eof(int fd);

/* Nothing is there to read, and the other end is open. Does not wait. */
void expect_nothing(int fd);
