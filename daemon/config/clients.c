/* SPDX-License-Identifier: MIT */

/*
 * security.allowed_clients: see clients.h. It is asked whenever a connection is taken, before a byte of it
 * is read: a new one, and one that the manager hands on to a worker, since that was accepted by somebody
 * else, perhaps before a reload changed the list. Unix sockets have permissions instead, and are not asked
 * about. What is neither (vsock) has no address that could be allowed. It costs no system call.
 *
 * Unlike the rest of this layer it logs: the decision is made here, for whoever asks, and told once.
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
