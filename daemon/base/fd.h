/* SPDX-License-Identifier: MIT */
#pragma once

/* Descriptors: owned, close-on-exec from birth, and passed between processes. -EBADF stands for "none". */

#include "base/util.h"

/* The most descriptors that one message carries. */
#define FD_PASS_MAX 64

/* Closes fd unless it is negative, keeps errno, and returns -EBADF: fd = fd_close(fd). */
int fd_close(int fd);

static inline void fd_closep(int *fd)
{
        fd_close(*fd);
}

/* Sets or clears FD_CLOEXEC. Returns 0 or -errno. */
int fd_cloexec(int fd, bool cloexec);

/*
 * Sets or clears O_NONBLOCK, which belongs to the open file: processes that share the file share the flag.
 * 0 or -errno.
 */
int fd_nonblock(int fd, bool nonblock);

/* Closes every descriptor from 3 up that is not in keep[]. Returns 0 or -errno (close_range(2)). */
int fd_close_all_except(const int *keep, size_t n_keep);

/*
 * Writes the whole buffer into a memfd and seals it against change. Gives the descriptor, CLOEXEC. 0 or
 * -errno.
 */
int fd_new_sealed_memfd(const char *name, const void *data, size_t size, int *ret_fd);

/*
 * Raises the soft limit on descriptors (RLIMIT_NOFILE) to the hard one. The soft one is low for the sake of
 * select(2): programs that may use it get *ret_before back with fd_set_limit(). 0 or -errno.
 */
int fd_raise_limit(uint64_t *ret_before);
int fd_set_limit(uint64_t soft);

/* Opens /dev/null over the given descriptor number. 0 or -errno. */
int fd_null(int fd);

/*
 * Sends one message with n_fds descriptors on a SOCK_SEQPACKET socket (unix(7), SCM_RIGHTS); the caller
 * keeps its own copies. Never raises SIGPIPE. flags are sendmsg(2)'s. 0 or -errno; -EAGAIN when the socket
 * is full and it, or MSG_DONTWAIT, does not block.
 */
int fd_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds, int flags);

/*
 * Receives one message. The descriptors are CLOEXEC and the caller's; ones beyond max_fds are closed and
 * make it -EXFULL. Returns the number of bytes (0 at end of file) and writes *ret_n_fds, or -errno;
 * -EMSGSIZE for a message that does not fit. Nothing is left open after an error.
 */
ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t max_fds, size_t *ret_n_fds);
