/* SPDX-License-Identifier: MIT */

#include <sys/socket.h>
#include <unistd.h>

#include "helpers/journal.h"
#include "helpers/unit.h"

int journal_bind(const char *path)
{
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(strlen(path) < sizeof a.sun_path);
        strcpy(a.sun_path, path);
        (void) unlink(path);
        assert_true(fd >= 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &a, sizeof a), 0);
        return fd;
}

bool journal_receive(int fd, char *text, size_t size)
{
        ssize_t n = recv(fd, text, size - 1, 0);

        if (n < 0) {
                assert_int_equal(errno, EAGAIN);
                return false;
        }
        for (ssize_t i = 0; i < n; i++)
                if (text[i] == 0)
                        text[i] = '.';
        text[n] = 0;
        return true;
}
