/* SPDX-License-Identifier: MIT */

/*
 * security.allowed_clients: see clients.h. A process that takes a connection asks before it reads a byte
 * from it. A worker also asks about a connection that the manager hands to it, since another worker
 * accepted that one, perhaps before a reload changed the list. Nobody asks about Unix sockets, which have
 * permissions instead. Other sockets (vsock) have no address that could be allowed. The check costs no
 * system call.
 *
 * Unlike the rest of this layer, this file logs: it makes the decision for all callers, and logs it once.
 */

#include "config/clients.h"

#include <stdio.h>

#include "base/log.h"
#include "base/messages.h"

#define REFUSED_LOG_INTERVAL (60 * USEC_PER_SEC)

static void log_refused(Clients *c, const char *address)
{
        char more[64] = "";

        if (!log_is_due(&c->refused_logged, REFUSED_LOG_INTERVAL)) {
                c->refused_more++;
                return;
        }
        if (c->refused_more > 0)
                (void) snprintf(more, sizeof more, "; %u more since this was last said", c->refused_more);
        (void) log_record(LOG_NOTICE, 0, MESSAGE_ID(CLIENT_REFUSED),
                          (LogField[]){ { "REMOTE_ADDR", address }, {} },
                          "Refused a connection from %s (see security.allowed_clients)%s.", address, more);
        c->refused_more = 0;
}

bool clients_allow(Clients *c, const struct sockaddr_storage *peer)
{
        struct in6_addr address;
        char text[INET6_ADDRSTRLEN];

        if (c->n_allowed == 0)
                return true;
        if (!network_address(peer, &address)) {
                log_refused(c, "an unknown address");
                return false;
        }
        for (size_t i = 0; i < c->n_allowed; i++)
                if (network_contains(&c->allowed[i], &address))
                        return true;
        log_refused(c, network_format(text, &address));
        return false;
}
