/* SPDX-License-Identifier: MIT */

/*
 * The smallest service that systemd can start by a socket: answers one FastCGI request with END_REQUEST and
 * ends. How long it takes to answer is what systemd takes to start any service.
 */

#include <sys/socket.h>
#include <unistd.h>

#define LISTEN_FD 3

int main(void)
{
        static const char end_request[] = { 1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
        char buffer[4096];
        int fd;

        fd = accept(LISTEN_FD, NULL, NULL);
        if (fd < 0 || recv(fd, buffer, sizeof buffer, 0) <= 0)
                return 1;
        if (send(fd, end_request, sizeof end_request, MSG_NOSIGNAL) < 0)
                return 1;
        while (recv(fd, buffer, sizeof buffer, 0) > 0)
                ; /* until the client has closed it */
        return 0;
}
