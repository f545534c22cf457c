/* SPDX-License-Identifier: MIT */

/*
 * The clients of parked connections: see watch.h. It owns nothing, reads nothing and closes nothing: which
 * connections are watched, and what becomes of them, is parking.c's, its only caller.
 */

#include "manager/traffic/watch.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"

int watch_open(sd_event *event, sd_event_io_handler_t on_events, void *userdata, int *ret_fd,
               sd_event_source **ret_source)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        fd = epoll_create1(EPOLL_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = sd_event_add_io(event, ret_source, fd, EPOLLIN, on_events, userdata);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(*ret_source, "parked-connections");

        *ret_fd = TAKE_FD(fd);
        return 0;
}

int watch_add(int epoll_fd, int fd)
{
        struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.fd = fd };

        return epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

void watch_drop(int epoll_fd, int fd)
{
        (void) epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

ClientNews watch_look(int fd, uint32_t events)
{
        ssize_t n;
        char c;

        n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n > 0)
                return CLIENT_SPOKE;
        if (n < 0 && (errno == EAGAIN || errno == EINTR) && !(events & (EPOLLERR | EPOLLHUP)))
                return CLIENT_SILENT;
        return CLIENT_GONE;
}

int watch_collect(int epoll_fd, WatchOnNews *on_news, void *userdata)
{
        struct epoll_event events[WATCH_EVENTS_MAX];
        int n;

        n = epoll_wait(epoll_fd, events, WATCH_EVENTS_MAX, 0);
        if (n < 0) {
                (void) log_error_errno(errno, "Failed to watch parked connections, trying again: %m");
                return 0;
        }

        for (int i = 0; i < n; i++) {
                int fd = events[i].data.fd;
                ClientNews news = watch_look(fd, events[i].events);

                if (news == CLIENT_SILENT)
                        continue;
                watch_drop(epoll_fd, fd);
                on_news(fd, news, userdata);
        }
        return n;
}

/* No more turns than that takes. */
void watch_collect_all(int epoll_fd, size_t n, WatchOnNews *on_news, void *userdata)
{
        for (size_t turns = n / WATCH_EVENTS_MAX + 1; turns > 0; turns--)
                if (watch_collect(epoll_fd, on_news, userdata) == 0)
                        return;
}
