/* SPDX-License-Identifier: MIT */

/*
 * Where a worker's connections come from: see take.h. What the system refuses is said now and then, and
 * tried again after a pause. Nothing is read of a connection here; who may not have one is closed at once.
 */

#include "worker/serve/take.h"

#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "worker/request/wait.h"
#include "worker/serve/sources.h"

/* After the system refused us something: how long to leave it alone, and how often to say so. */
#define REFUSED_PAUSE (100 * USEC_PER_MSEC)
#define REFUSED_LOG_INTERVAL (10 * USEC_PER_SEC)

Taker taker_make(const WorkerContext *context, int retire_fd)
{
        return (Taker){
                .context = context,
                .clients = { .allowed = context->allowed, .n_allowed = context->n_allowed },
                .retire_fd = retire_fd,
        };
}

/*
 * Logs what the system refuses, not every time, and leaves it alone for a moment unless ordered to retire.
 */
static void refused(Taker *t, int error, const char *what)
{
        usec_t now = now_monotonic();

        if (t->refused_logged > 0 && usec_sub(now, t->refused_logged) < REFUSED_LOG_INTERVAL)
                t->refused_more++;
        else {
                (void) log_warning_errno(error, "Failed to %s, trying again (%u more since last said): %m",
                                         what, t->refused_more);
                t->refused_logged = now;
                t->refused_more = 0;
        }
        (void) wait_for(t->retire_fd, POLLIN, usec_add(now, REFUSED_PAUSE));
}

/* True for what concerns one connection only, which is gone (accept(2)). */
static bool accept_error_passes(int error)
{
        switch (error) {
        case EAGAIN:
        case EINTR:
        case ECONNABORTED:
        case EPROTO:
        case EPERM: /* a firewall's rule */
        case ENETDOWN:
        case ENETUNREACH:
        case EHOSTDOWN:
        case EHOSTUNREACH:
        case ENONET:
        case ENOPROTOOPT:
        case EOPNOTSUPP:
                return true;
        default:
                return false;
        }
}

/* clients_allow() for a connection that was accepted earlier, perhaps under other settings. */
static bool may_go_on(Taker *t, int fd)
{
        struct sockaddr_storage peer = {};
        socklen_t size = sizeof peer;

        if (t->clients.n_allowed == 0)
                return true;
        /* It is gone: nothing is lost by that. */
        return getpeername(fd, (struct sockaddr *) &peer, &size) >= 0 && clients_allow(&t->clients, &peer);
}

static int accept_connection(Taker *t, size_t i, Origin *ret)
{
        const ProtocolSocket *listen = &t->context->inherit.listen[i];
        struct sockaddr_storage peer = {};
        socklen_t size = sizeof peer;
        int fd, r;

        fd = accept4(listen->fd, (struct sockaddr *) &peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        r = fd < 0 ? -errno : 0;
        if (r < 0 && !accept_error_passes(-r))
                refused(t, r, "accept a connection");
        *ret = (Origin){
                .protocol = listen->protocol,
                .unix_socket = t->context->unix_socket[i],
                .head = -EBADF,
        };
        if (fd >= 0 && !ret->unix_socket && !clients_allow(&t->clients, &peer))
                return fd_close(fd);
        return r < 0 ? r : fd;
}

/* The next one that may go on. */
static int resume_connection(Taker *t, Origin *ret)
{
        for (;;) {
                Handoff handoff;
                int r;

                r = handoff_receive(t->context->inherit.handoff, HANDOFF_WORKER, &handoff);
                if (r < 0 && r != -EAGAIN)
                        refused(t, r, "take a connection from the manager");
                if (r <= 0)
                        return r == 0 ? -EPIPE : r;
                if (handoff.origin.unix_socket || may_go_on(t, handoff.fd)) {
                        *ret = handoff.origin;
                        return handoff.fd;
                }
                handoff_close(&handoff);
        }
}

int taker_take(Taker *t, int source, Origin *ret)
{
        return source == SOURCE_HANDOFF ? resume_connection(t, ret)
                                        : accept_connection(t, (size_t) source, ret);
}
