/* SPDX-License-Identifier: MIT */

/* Connections between manager and workers: see handoff.h. */

#include "ipc/handoff.h"

#include <sys/socket.h>

int handoff_send(int socket, const Handoff *handoff, int connection)
{
        const int fds[] = { connection, handoff->head };

        return fd_send(socket, handoff, sizeof *handoff, fds, handoff->head > 0 ? 2 : 1, MSG_DONTWAIT);
}

int handoff_receive(int socket, Handoff *ret, int *ret_connection)
{
        int fds[] = { -EBADF, -EBADF };
        size_t n_fds = 0;
        ssize_t n;

        n = fd_receive(socket, ret, sizeof *ret, fds, ELEMENTSOF(fds), &n_fds);
        if (n == 0 && n_fds == 0)
                return 0;
        if (n < 0)
                return n == -ECONNRESET ? 0 : (int) n;
        if ((size_t) n != sizeof *ret || n_fds != (ret->head > 0 ? 2U : 1U)) {
                fd_close(fds[0]);
                fd_close(fds[1]);
                return -EBADMSG;
        }
        ret->head = n_fds > 1 ? fds[1] : 0;
        *ret_connection = fds[0];
        return 1;
}

int handoff_close(Handoff *handoff, int connection)
{
        if (handoff->head > 0)
                fd_close(handoff->head);
        handoff->head = 0;
        return fd_close(connection);
}
