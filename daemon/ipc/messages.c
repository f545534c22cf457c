/* SPDX-License-Identifier: MIT */

/* The channel between manager and template: see messages.h. */

#include "ipc/messages.h"

int ipc_send(int channel, const IpcMessage *message, const int *fds, size_t n_fds)
{
        assert(message->type < _IPC_TYPE_MAX && message->n <= IPC_SPAWN_MAX);
        assert(n_fds == (message->type == IPC_SPAWN ? message->n : 0));
        return fd_send(channel, message, sizeof *message, fds, n_fds, 0);
}

static bool ipc_message_valid(const IpcMessage *m, size_t n_fds)
{
        if (m->type >= _IPC_TYPE_MAX || m->n > IPC_SPAWN_MAX || n_fds != (m->type == IPC_SPAWN ? m->n : 0))
                return false;
        for (uint32_t i = 0; i < m->n; i++)
                if (m->workers[i].pid < 0)
                        return false;
        return m->type != IPC_TRACE || (m->n == 1 && m->workers[0].pid > 0);
}

int ipc_receive(int channel, IpcMessage *ret, int fds[static IPC_SPAWN_MAX])
{
        size_t n_fds = 0;
        ssize_t n;

        n = fd_receive(channel, ret, sizeof *ret, fds, IPC_SPAWN_MAX, &n_fds);
        if ((n == 0 && n_fds == 0) || n == -ECONNRESET)
                return 0;
        if (n < 0)
                return (int) n;

        if ((size_t) n != sizeof *ret || !ipc_message_valid(ret, n_fds)) {
                for (size_t i = 0; i < n_fds; i++)
                        fds[i] = fd_close(fds[i]);
                return -EBADMSG;
        }
        ret->version[IPC_VERSION_MAX - 1] = 0;
        ret->text[IPC_TEXT_MAX - 1] = 0;
        return 1;
}
