/* SPDX-License-Identifier: MIT */

/*
 * The worker's own connection, and its turns: see own.h. It is read, and waited for, only while it has its
 * turn.
 */

#include "worker/serve/own.h"

#include <sys/socket.h>

#include "base/log.h"
#include "config/network.h"
#include "worker/serve/overtime.h"
#include "worker/serve/park.h"
#include "worker/serve/patience.h"

int own_init(Own *o, const ConnectionHooks *hooks, void *userdata)
{
        for (Protocol i = 0; i < _PROTOCOL_MAX; i++) {
                const Transport *transport = o->context->transports[i];
                int r;

                assert(transport);
                r = connection_new(transport, o->context->config->request_header_timeout, hooks, userdata,
                                   &o->connections[i]);
                if (r < 0)
                        return r;
        }
        o->connection = o->connections[0];
        return 0;
}

void own_free(Own *o)
{
        overtime_set_connection(NULL);
        for (Protocol i = 0; i < _PROTOCOL_MAX; i++)
                connection_free(o->connections[i]);
}

void own_open(Own *o, int fd, const Origin *origin)
{
        int r;

        assert(!own_is_there(o));

        slot_count_connections(o->slot);
        o->peer[0] = 0;
        o->connection = o->connections[origin->protocol];
        overtime_set_connection(o->connection);
        r = connection_open(o->connection, fd, origin);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to read what came of a request, "
                                            "closing the connection: %m");
        else
                own_give_turn(o, PATIENCE_USEC);
}

void own_close(Own *o)
{
        connection_close(o->connection);
}

void own_give_turn(Own *o, usec_t patience)
{
        o->turn = OWN_TURN_BEGINS;
        o->patience = patience;
}

void own_end_turn(Own *o)
{
        o->turn = OWN_TURN_OVER;
}

const char *own_find_peer(Own *o)
{
        struct sockaddr_storage peer;
        socklen_t size = sizeof peer;
        struct in6_addr address;

        if (!o->peer[0] &&
            getpeername(connection_fd(o->connection), (struct sockaddr *) &peer, &size) >= 0 &&
            network_address(&peer, &address))
                (void) network_format(o->peer, &address);
        return o->peer;
}

int own_park(Own *o)
{
        return park(o->context->inherit.handoff, o->connection);
}

void own_wait_to_park(Own *o, int retire_fd)
{
        if (park_wait(o->context->inherit.handoff, o->connection, retire_fd))
                own_give_turn(o, 0);
}

/*
 * connection_next(), with some patience for a client that has said nothing so far, or part of a request. It
 * is the same however many pieces come meanwhile.
 */
static int next_request(Own *o, usec_t patience, Request **ret)
{
        Connection *c = o->connection;
        usec_t least = 0, most = 0;

        for (;;) {
                usec_t now;
                int r;

                r = connection_next(c, ret);
                if (r == CONNECTION_PARTIAL)
                        patience = MAX(patience, PATIENCE_USEC);
                if ((r != CONNECTION_IDLE && r != CONNECTION_PARTIAL) || patience == 0)
                        return r;

                now = now_monotonic();
                if (most == 0) {
                        least = usec_add(now, patience);
                        most = least;
                        if (slot_others_idle(o->slot))
                                most = usec_add(now, MAX(patience, PATIENCE_IDLE_USEC));
                }
                if (now >= most || patience_wait(&o->context->inherit, connection_fd(c), least, most) < 0)
                        return r;
        }
}

/* The next request; NULL where the connection is closed, or its client says nothing more at the moment. */
static Request *read_request(Own *o)
{
        Request *request = NULL;
        int r;

        r = next_request(o, o->patience, &request);
        o->patience = 0;
        if (r != CONNECTION_REQUEST && r != CONNECTION_IDLE && r != CONNECTION_PARTIAL)
                own_close(o);
        return request;
}

static bool is_pending(const Own *o)
{
        return own_is_there(o) && connection_pending(o->connection);
}

Request *own_next(Own *o, bool stays)
{
        if (o->turn == OWN_TURN_OVER)
                return NULL;
        if (o->turn == OWN_TURN_BEGINS || is_pending(o)) {
                Request *request;

                o->turn = OWN_TURN_GOES_ON;
                request = read_request(o);
                if (request)
                        return request;
                /* The manager waits for the rest of a request, the worker for anything else. */
                if (stays && is_pending(o))
                        (void) own_park(o);
        }

        own_end_turn(o);
        if (stays && own_is_there(o) && sources_watch_own(o->sources, connection_fd(o->connection)) < 0)
                own_close(o);
        return NULL;
}
