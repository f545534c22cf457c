/* SPDX-License-Identifier: MIT */

/*
 * Speaks to a manager over its control socket: sd-bus from peer to peer, so there is no bus daemon, no Hello
 * and no name to address. Nothing here logs.
 */

#include "ctl/client.h"

#include <stdio.h>

#include "ipc/control.h"

int client_connect(const char *pool, sd_bus **ret)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(freep) char *path = NULL, *address = NULL;
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
