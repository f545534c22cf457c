/* SPDX-License-Identifier: MIT */
#pragma once

/* Connections handed off in a test: an origin and a descriptor, as connections have them elsewhere. */

#include "ipc/handoff.h"

/* Over AF_UNIX, and nothing was read of it. */
#define ORIGIN_UNIX ((Origin){ .unix_socket = true, .head = -EBADF })

/* handoff_send() */
static inline int hand_off(int socket, HandoffKind kind, const Origin *origin, int fd)
{
        return handoff_send(socket, &(Handoff){ .kind = kind, .fd = fd, .origin = *origin });
}

/* handoff_receive() of a connection; no descriptor where there is none. */
static inline int take_over(int socket, HandoffTaker taker, Origin *ret, int *ret_fd)
{
        Handoff handoff = { .fd = -EBADF };
        int r;

        r = handoff_receive(socket, taker, &handoff);
        *ret = handoff.origin;
        *ret_fd = handoff.fd;
        return r;
}

static inline void origin_close_both(Origin *origin, int fd)
{
        origin_close(origin);
        fd_close(fd);
}
