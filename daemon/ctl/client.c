/* SPDX-License-Identifier: MIT */

/*
 * Speaks to a manager over its control socket: sd-bus from peer to peer, so there is no bus daemon, no Hello
 * and no name to address. Nothing here logs.
 *
 * The kernel accepts connections for a manager that is stuck, and sd-bus waits 90 s for it to authenticate,
 * in each call and also when it flushes. So a connection is only handed out once it is ready, and is never
 * flushed: each call waits for its answer.
 */

#include "ctl/client.h"

#include <stdio.h>

#include "ipc/control.h"

/* Until the manager has authenticated the caller. -ETIMEDOUT when it has not by then. */
static int wait_ready(sd_bus *bus, usec_t deadline)
{
        for (;;) {
                usec_t now;
                int r;

                r = sd_bus_is_ready(bus);
                if (r != 0)
                        return r < 0 ? r : 0;
                r = sd_bus_process(bus, NULL);
                if (r < 0)
                        return r;
                if (r > 0)
                        continue;

                now = now_monotonic();
                if (now >= deadline)
                        return -ETIMEDOUT;
                r = sd_bus_wait(bus, deadline - now);
                if (r < 0 && r != -EINTR)
                        return r;
        }
}

int client_connect(const char *pool, usec_t timeout, sd_bus **ret)
{
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(freep) char *path = NULL, *address = NULL;
        usec_t deadline = usec_add(now_monotonic(), timeout);
        int r;

        r = control_socket_path(pool, &path);
        if (r < 0)
                return r;
        if (asprintf(&address, "unix:path=%s", path) < 0) {
                address = NULL;
                return -ENOMEM;
        }

        r = sd_bus_new(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_address(bus, address);
        if (r < 0)
                return r;
        r = sd_bus_start(bus);
        if (r == -EAGAIN) /* its queue of connections is full */
                return -ETIMEDOUT;
        if (r < 0)
                return r;
        r = wait_ready(bus, deadline);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(bus);
        return 0;
}

bool client_not_running(int error)
{
        switch (abs(error)) {
        case ENOENT:       /* no socket */
        case ECONNREFUSED: /* a manager that was killed left it */
        case ECONNRESET:
        case EPIPE:
        case ENOTCONN:
        case ESHUTDOWN:
                return true;
        default:
                return false;
        }
}

int client_call(sd_bus *bus, const char *method, usec_t timeout, sd_bus_error *error,
                sd_bus_message **ret_reply)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
        int r;

        r = sd_bus_message_new_method_call(bus, &message, NULL, CONTROL_OBJECT, CONTROL_INTERFACE, method);
        if (r < 0)
                return r;
        r = sd_bus_call(bus, message, timeout, error, ret_reply);
        return r < 0 ? r : 0;
}

const char *client_error_text(const sd_bus_error *error, int r)
{
        return sd_bus_error_is_set(error) && error->message ? error->message : strerror(abs(r));
}

int client_wait_closed(sd_bus *bus)
{
        for (;;) {
                int r;

                r = sd_bus_process(bus, NULL);
                if (r == 0)
                        r = sd_bus_wait(bus, USEC_INFINITY);
                if (r < 0 && client_not_running(r))
                        return 0;
                if (r < 0 && r != -EINTR)
                        return r;
        }
}
