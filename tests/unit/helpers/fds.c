/* SPDX-License-Identifier: MIT */

#include <dirent.h>
#include <errno.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "helpers/fds.h"
#include "helpers/unit.h"

#define NOT_COUNTED 3 /* ".", ".." and the descriptor that reads the directory */

size_t count_fds(void)
{
        DIR *d = opendir("/proc/self/fd");
        size_t n = 0;

        assert_non_null(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n - NOT_COUNTED;
}

void open_stream(int pair[static 2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
}

void open_queue(int pair[static 2])
{
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
}

void close_pair(int pair[static 2])
{
        pair[0] = fd_close(pair[0]);
        pair[1] = fd_close(pair[1]);
}

void expect_eof(int fd)
{
        char c;

        assert_int_equal(recv(fd, &c, 1, 0), 0);
}

void expect_nothing(int fd)
{
        char c;

        assert_int_equal(recv(fd, &c, 1, MSG_DONTWAIT), -1);
        assert_int_equal(errno, EAGAIN);
}
