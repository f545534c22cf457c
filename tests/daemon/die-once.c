/* SPDX-License-Identifier: MIT */

/*
 * Preloaded into php-pool-worker: one of its processes is sent SIGKILL, or $DIE_ONCE_SIGNAL. Which, and
 * where, $DIE_ONCE says:
 *
 *      order    the template, about to fork a launcher for its second order
 *
 *      launch   a launcher, about to fork its second worker
 *
 *      accept   a worker, woken for a connection, about to take it
 *
 * It does so once: whoever removes the file $DIE_ONCE_FILE dies.
 */

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* 0 in the template, 1 in a launcher, 2 in a worker. The manager does not count. */
static int depth;

static void die_at(int at, const char *where)
{
        const char *wanted = getenv("DIE_ONCE"), *file = getenv("DIE_ONCE_FILE"),
                   *signal = getenv("DIE_ONCE_SIGNAL");

        if (depth == at && wanted && file && strcmp(wanted, where) == 0 &&
            strcmp(program_invocation_short_name, "php-pool-worker") == 0 && unlink(file) == 0)
                (void) kill(getpid(), signal ? atoi(signal) : SIGKILL);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
        int (*next)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");

        die_at(2, "accept");
        return next(fd, address, length, flags);
}

pid_t fork(void)
{
        pid_t (*next)(void) = dlsym(RTLD_NEXT, "fork");
        static int forked;
        pid_t pid;

        if (++forked == 2) {
                die_at(0, "order");
                die_at(1, "launch");
        }
        pid = next();
        if (pid == 0) {
                depth++;
                forked = 0;
        }
        return pid;
}
