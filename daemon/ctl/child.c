/* SPDX-License-Identifier: MIT */

/* Waits for a child, with a bound: see child.h. */

#include "ctl/child.h"

#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/fd.h"

int child_wait(pid_t pid, int msec)
{
        _cleanup_(fd_closep) int fd = pidfd_open(pid, 0);
        struct pollfd ended = { .fd = fd, .events = POLLIN };
        int status, r;

        assert(pid > 1); /* kill(2) takes others for many processes */

        r = fd < 0 ? -errno : poll(&ended, 1, msec);
        if (r <= 0) {
                (void) kill(pid, SIGKILL);
                return r < 0 ? -EIO : -ETIMEDOUT;
        }
        if (waitpid(pid, &status, 0) < 0)
                return -errno;
        return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
