/* SPDX-License-Identifier: MIT */

/* Connections between manager and workers: see handoff.h. */

#include "ipc/handoff.h"

#include <sys/socket.h>

int handoff_send(int socket, const Handoff *handoff, int connection)
{
        return fd_send(socket, handoff, sizeof *handoff, &connection, 1, MSG_DONTWAIT);
}

int handoff_receive(int socket, Handoff *ret, int *ret_connection)
{
        size_t n_fds = 0;
        int fd = -EBADF;
        ssize_t n;

        n = fd_receive(socket, ret, sizeof *ret, &fd, 1, &n_fds);
        if (n == 0 && n_fds == 0)
                return 0;
        if (n < 0)
                return n == -ECONNRESET ? 0 : (int) n;
        if ((size_t) n != sizeof *ret || n_fds != 1) {
                fd_close(fd);
                return -EBADMSG;
        }
        *ret_connection = fd;
        return 1;
}
