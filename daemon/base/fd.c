/* SPDX-License-Identifier: MIT */

/* Descriptors: see fd.h. Nothing here logs. */

#include "base/fd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"

int fd_close(int fd)
{
        if (fd >= 0) {
                int saved = errno;

                (void) close(fd);
                errno = saved;
        }
        return -EBADF;
}

static int fd_flag(int fd, int get, int set, int flag, bool on)
{
        int old, new;

        old = fcntl(fd, get);
        if (old < 0)
                return -errno;

        new = on ? old | flag : old & ~flag;
        if (new != old && fcntl(fd, set, new) < 0)
                return -errno;
        return 0;
}

int fd_cloexec(int fd, bool cloexec)
{
        return fd_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, cloexec);
}

int fd_nonblock(int fd, bool nonblock)
{
        return fd_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, nonblock);
}

static int compare_int(const void *a, const void *b)
{
        int x = *(const int *) a, y = *(const int *) b;

        return (x > y) - (x < y);
}

int fd_close_all_except(const int *keep, size_t n_keep)
{
        int sorted[FD_PASS_MAX * 2];
        unsigned next = 3;

        assert(keep || n_keep == 0);

        if (n_keep > ELEMENTSOF(sorted))
                return -E2BIG;

        if (n_keep > 0)
                memcpy(sorted, keep, n_keep * sizeof *keep);
        qsort(sorted, n_keep, sizeof *sorted, compare_int);

        for (size_t i = 0; i < n_keep; i++) {
                if (sorted[i] < (int) next)
                        continue;
                if (sorted[i] > (int) next && close_range(next, (unsigned) sorted[i] - 1, 0) < 0)
                        return -errno;
                next = (unsigned) sorted[i] + 1;
        }
        return close_range(next, ~0U, 0) < 0 ? -errno : 0;
}

int fd_new_sealed_memfd(const char *name, const void *data, size_t size, int *ret_fd)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        assert(data || size == 0);

        fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;

        r = io_write_all(fd, data, size);
        if (r < 0)
                return r;

        if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int fd_raise_limit(uint64_t *ret_before)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        *ret_before = limit.rlim_cur;
        return fd_set_limit(limit.rlim_max);
}

int fd_set_limit(uint64_t soft)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return -errno;
        limit.rlim_cur = MIN((rlim_t) soft, limit.rlim_max);
        return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}

int fd_null(int fd)
{
        _cleanup_(fd_closep) int null = -EBADF;

        assert(fd >= 0);

        null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (null < 0)
                return -errno;
        if (null == fd) {
                TAKE_FD(null);
                return fd_cloexec(fd, false);
        }
        return dup2(null, fd) < 0 ? -errno : 0;
}

int fd_send(int socket, const void *data, size_t size, const int *fds, size_t n_fds, int flags)
{
        union {
                struct cmsghdr header;
                uint8_t buffer[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
        } control = {};
        struct iovec iov = { .iov_base = (void *) data, .iov_len = size };
        struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

        assert(fds || n_fds == 0);

        if (n_fds > FD_PASS_MAX)
                return -E2BIG;

        if (n_fds > 0) {
                control.header = (struct cmsghdr) {
                        .cmsg_level = SOL_SOCKET,
                        .cmsg_type = SCM_RIGHTS,
                        .cmsg_len = CMSG_LEN(sizeof(int) * n_fds),
                };
                memcpy(CMSG_DATA(&control.header), fds, sizeof(int) * n_fds);
                message.msg_control = &control;
                message.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        }

        for (;;) {
                if (sendmsg(socket, &message, MSG_NOSIGNAL | flags) >= 0)
                        return 0;
                if (errno != EINTR)
                        return -errno;
        }
}

/* Moves the descriptors of a message to fds[], closes those that do not fit, and returns how many came. */
static size_t take_fds(struct msghdr *message, int *fds, size_t max_fds)
{
        size_t n = 0;

        for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
                size_t count;

                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;

                count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < count; i++, n++) {
                        int fd;

                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
                        if (n < max_fds)
                                fds[n] = fd;
                        else
                                fd_close(fd);
                }
        }
        return n;
}

ssize_t fd_receive(int socket, void *data, size_t size, int *fds, size_t max_fds, size_t *ret_n_fds)
{
        union {
                struct cmsghdr header;
                uint8_t buffer[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
        } control;
        struct iovec iov = { .iov_base = data, .iov_len = size };
        struct msghdr message = {
                .msg_iov = &iov,
                .msg_iovlen = 1,
                .msg_control = &control,
                .msg_controllen = sizeof control,
        };
        ssize_t n;
        size_t n_fds;
        int r = 0;

        assert(max_fds <= FD_PASS_MAX);
        assert(fds || max_fds == 0);

        do
                n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        n_fds = take_fds(&message, fds, max_fds);
        if (n_fds > max_fds || (message.msg_flags & MSG_CTRUNC))
                r = -EXFULL;
        else if (message.msg_flags & MSG_TRUNC)
                r = -EMSGSIZE;
        if (r < 0) {
                for (size_t i = 0; i < MIN(n_fds, max_fds); i++)
                        fds[i] = fd_close(fds[i]);
                return r;
        }

        if (ret_n_fds)
                *ret_n_fds = n_fds;
        return n;
}
