/* SPDX-License-Identifier: MIT */

/*
 * No process of a pool is dumpable: the files of its memory in /proc are root's, and a script that opens
 * them is refused. So the template cannot open a worker's memory either. A descriptor that was opened before
 * goes on reading; so each worker opens its own, in the moment before it is not dumpable any more, and
 * passes it on. There is such a moment only where the pool has request.slowlog_timeout: a worker is born
 * from the template, not dumpable, and is dumpable for one open(2), in which another worker's script could
 * open its memory as well. Nobody else has that memory or could open it for the worker.
 *
 * The template keeps one descriptor a slot until the slot's next worker has given its own: a worker that is
 * gone leaves nothing behind it but an address space that is empty. No worker and no script has any of them,
 * for both ends of the socket and all descriptors are closed before PHP serves.
 */

#include "worker/memory-fds.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

/* What the template has open besides. */
#define OTHER_DESCRIPTORS 512

typedef struct MemoryFd {
        pid_t pid;
        int fd; /* -EBADF for none */
} MemoryFd;

struct MemoryFds {
        int give, take;        /* SOCK_SEQPACKET: from the workers, to the template */
        uint64_t limit_before; /* of descriptors; 0: it was not raised */
        size_t n_slots;
        MemoryFd slots[];
};

/* What a worker sends, with its descriptor. */
typedef struct Gift {
        size_t slot;
        pid_t pid;
} Gift;

static int make_socket(MemoryFds *m)
{
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        m->give = fds[0];
        m->take = fds[1];
        return fd_nonblock(m->take, true);
}

static int raise_limit(MemoryFds *m)
{
        uint64_t before = 0;
        int r;

        r = fd_raise_limit(&before);
        if (r < 0)
                return r;
        if (before >= m->n_slots + OTHER_DESCRIPTORS)
                return fd_set_limit(before);
        m->limit_before = before;
        return 0;
}

int memory_fds_new(size_t n_slots, MemoryFds **ret)
{
        _cleanup_(memory_fds_freep) MemoryFds *m = NULL;
        int r;

        m = malloc(sizeof *m + n_slots * sizeof m->slots[0]);
        if (!m)
                return -ENOMEM;
        *m = (MemoryFds){ .give = -EBADF, .take = -EBADF, .n_slots = n_slots };
        for (size_t i = 0; i < n_slots; i++)
                m->slots[i] = (MemoryFd){ .fd = -EBADF };

        r = make_socket(m);
        if (r >= 0)
                r = raise_limit(m);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(m);
        return 0;
}

void memory_fds_close(MemoryFds *m)
{
        m->take = fd_close(m->take);
        for (size_t i = 0; i < m->n_slots; i++)
                m->slots[i].fd = fd_close(m->slots[i].fd);
}

void memory_fds_leave(MemoryFds *m)
{
        memory_fds_close(m);
        m->give = fd_close(m->give);
        if (m->limit_before > 0)
                (void) fd_set_limit(m->limit_before);
        m->limit_before = 0;
}

void memory_fds_free(MemoryFds *m)
{
        if (!m)
                return;
        memory_fds_leave(m);
        free(m);
}

static int open_own_memory(bool dumpable)
{
        int fd, r = 0;

        if (!dumpable && prctl(PR_SET_DUMPABLE, 1) < 0)
                return -errno;
        fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                r = -errno;
        if (!dumpable && prctl(PR_SET_DUMPABLE, 0) < 0)
                r = -errno;
        if (r >= 0)
                return fd;
        fd_close(fd);
        return r;
}

int memory_fds_give(MemoryFds *m, size_t slot, bool dumpable)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        Gift gift = { .slot = slot, .pid = getpid() };
        int r;

        fd = open_own_memory(dumpable);
        r = fd < 0 ? fd : fd_send(m->give, &gift, sizeof gift, &fd, 1, MSG_DONTWAIT);
        memory_fds_leave(m);
        return r;
}

void memory_fds_take(MemoryFds *m)
{
        for (;;) {
                size_t n_fds = 0;
                ssize_t n;
                Gift gift;
                int fd;

                n = fd_receive(m->take, &gift, sizeof gift, &fd, 1, &n_fds);
                if (n == -EAGAIN || (n <= 0 && n_fds == 0))
                        return;
                if (n_fds == 0)
                        continue;
                if (n != sizeof gift || gift.slot >= m->n_slots) {
                        fd_close(fd);
                        continue;
                }
                fd_close(m->slots[gift.slot].fd);
                m->slots[gift.slot] = (MemoryFd){ .pid = gift.pid, .fd = fd };
        }
}

int memory_fds_find(MemoryFds *m, size_t slot, pid_t pid)
{
        memory_fds_take(m);
        if (slot >= m->n_slots || m->slots[slot].fd < 0 || m->slots[slot].pid != pid)
                return -ENOENT;
        return m->slots[slot].fd;
}
