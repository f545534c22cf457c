/* SPDX-License-Identifier: MIT */
#pragma once

/* Watching the clients of parked connections, by an epoll instance (epoll(7)) that is the caller's. */

#include <systemd/sd-event.h>

#include "base/util.h"

/*
 * Opens a set, which the loop watches: on_events is called when there is something to collect. 0 or -errno.
 */
int watch_open(sd_event *event, sd_event_io_handler_t on_events, void *userdata, int *ret_fd,
               sd_event_source **ret_source);

/* Takes a connection into the set. 0 or -errno. */
int watch_add(int epoll_fd, int fd);

/* Takes it out, if it is there. */
void watch_drop(int epoll_fd, int fd);

/* What a client has done. */
typedef enum ClientNews {
        CLIENT_SILENT, /* nothing */
        CLIENT_SPOKE,  /* it has sent something, which is still in the socket */
        CLIENT_GONE,   /* it has closed the connection */
} ClientNews;

/* Looks at a connection, with what epoll said of it, or 0. Reads nothing. */
ClientNews watch_look(int fd, uint32_t events);

/* Is told of a client that is not silent; its connection is not in the set any more. */
typedef void WatchOnNews(int fd, ClientNews news, void *userdata);

/*
 * Looks at WATCH_EVENTS_MAX of those at most of which epoll tells. How many there were; 0 also where the
 * system refuses, which is logged.
 */
#define WATCH_EVENTS_MAX 64
int watch_collect(int epoll_fd, WatchOnNews *on_news, void *userdata);

/* Looks at all of a set of so many connections. */
void watch_collect_all(int epoll_fd, size_t n, WatchOnNews *on_news, void *userdata);
