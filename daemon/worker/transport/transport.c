/* SPDX-License-Identifier: MIT */

/* What all transports have in common: see transport.h. How a connection begins and ends for this worker. */

#include "worker/transport/transport.h"

#include "base/log.h"

int connection_new(const Transport *transport, usec_t header_timeout, const ConnectionHooks *hooks,
                   void *userdata, Connection **ret)
{
        assert(hooks->reading && hooks->script_known && hooks->finishing && hooks->waiting);
        assert(hooks->progress && hooks->released && hooks->closing);

        return transport->new(header_timeout, hooks, userdata, ret);
}

static void close_socket(Connection *c, bool late)
{
        if (c->fd < 0)
                return;
        c->hooks->closing(c->userdata, c->fd, late);
        c->fd = fd_close(c->fd);
}

void connection_close(Connection *c)
{
        close_socket(c, /* late= */ false);
}

void connection_close_late(Connection *c, Lateness with)
{
        static const char *const texts[_LATENESS_MAX] = {
                [LATE_WITH_HEAD] = "sent part of a request only, within request.header_timeout",
                [LATE_WITH_BODY] = "did not send all of a request that was answered",
                [LATE_WITH_TAKING] = "takes nothing of its answer",
        };

        log_debug("A client %s, closing its connection.", texts[with]);
        close_socket(c, /* late= */ true);
}
