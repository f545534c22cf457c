/* SPDX-License-Identifier: MIT */

/*
 * Any bytes, with any number of descriptors, as a message of a template, which runs PHP: what is taken is in
 * range, and nothing is left open. The first byte is the number of descriptors.
 */

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "input.h"
#include "ipc/messages.h"

#define FDS_MAX (IPC_SPAWN_MAX + 2)

/* The lowest number that is free: what was left open makes it higher. */
static int lowest(void)
{
        int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

        CHECK(fd >= 0 && close(fd) == 0);
        return fd;
}

static void check(const IpcMessage *m, size_t n_fds)
{
        CHECK(m->type < _IPC_TYPE_MAX && m->n <= IPC_SPAWN_MAX);
        CHECK(memchr(m->version, 0, sizeof m->version) && memchr(m->text, 0, sizeof m->text));
        CHECK(m->type != IPC_TRACE || m->n == 1);
        for (uint32_t i = 0; i < m->n; i++)
                CHECK(m->workers[i].pid >= 0);
        for (size_t i = 0; m->type == IPC_SPAWN && i < m->n; i++)
                CHECK(i < n_fds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        int pair[2], sent[FDS_MAX], fds[IPC_SPAWN_MAX], before = lowest(), r;
        Input in = { data, size };
        size_t n_fds = input_byte(&in) % (FDS_MAX + 1);
        IpcMessage message;

        CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
        for (size_t i = 0; i < n_fds; i++)
                sent[i] = STDIN_FILENO;
        CHECK(fd_send(pair[0], in.bytes, in.left, sent, n_fds, 0) >= 0);
        r = ipc_receive(pair[1], &message, fds);
        CHECK(r <= 1);
        if (r == 1) {
                check(&message, n_fds);
                for (size_t i = 0; message.type == IPC_SPAWN && i < message.n; i++)
                        CHECK(close(fds[i]) == 0);
        }
        close(pair[0]);
        close(pair[1]);
        CHECK(lowest() == before);
        return 0;
}
