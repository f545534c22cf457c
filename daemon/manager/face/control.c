/* SPDX-License-Identifier: MIT */

/*
 * The control socket: one sd-bus connection per client, peer to peer, without a bus daemon. A call of
 * Reload() is kept until the reload has ended; every other call is answered at once.
 *
 * The socket is systemd's, like the others: root's, mode 0600, where no script can reach or replace it. It
 * is there exactly while the service is, so nothing that connects starts a pool.
 */

#include "manager/face/control.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/utf8.h"
#include "ipc/control.h"
#include "manager/face/report.h"

/* Clients at the same time; more are refused. */
#define CONTROL_CLIENTS_MAX 64

/* How often in a second connections are taken, and how many each time. */
#define CONTROL_RATE_MAX 100
#define CONTROL_BATCH_MAX 32

/* How often a refused client is worth a line. */
#define CONTROL_LOG_INTERVAL (60 * USEC_PER_SEC)

typedef struct ControlClient {
        Control *control;
        sd_bus *bus;
        sd_bus_message *reload; /* the call that waits, or NULL */
        uint64_t ticket;        /* of that reload: pool_ask_reload() */
} ControlClient;

struct Control {
        Pool *pool;
        int fd; /* the Listen's */
        sd_event_source *source;
        ControlClient *clients[CONTROL_CLIENTS_MAX];
        usec_t full_logged; /* CLOCK_MONOTONIC; 0 for never */
};

static void client_free(ControlClient *c)
{
        if (!c)
                return;
        sd_bus_message_unref(c->reload);
        /* Not flushed: a client that does not read, or never said a word, must not be waited for. */
        if (c->bus)
                sd_bus_close_unref(c->bus);
        free(c);
}
DEFINE_CLEANUP(ControlClient *, client_free)

static void control_drop(Control *c, ControlClient *client)
{
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
                if (c->clients[i] == client)
                        c->clients[i] = NULL;
        client_free(client);
}

static int on_reload(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
        ControlClient *client = userdata;
        Pool *p = client->control->pool;

        if (pool_ends(p))
                return sd_bus_error_setf(error, CONTROL_ERROR_STOPPING, "The pool is stopping.");
        if (client->reload)
                return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                         "A reload of yours is running.");
        client->reload = sd_bus_message_ref(message);
        client->ticket = pool_ask_reload(p);
        return 1;
}

static int on_stop(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_)
{
        ControlClient *client = userdata;

        pool_ask_stop(client->control->pool, STOP_ASKED);
        return sd_bus_reply_method_return(message, "");
}

static int on_get_status(sd_bus_message *message, void *userdata, sd_bus_error *error _unused_)
{
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        ControlClient *client = userdata;
        int r;

        r = sd_bus_message_new_method_return(message, &reply);
        if (r < 0)
                return r;
        pool_note_watched(client->control->pool);
        r = report_append(client->control->pool, reply);
        if (r < 0)
                return r;
        return sd_bus_message_send(reply);
}

static int on_disconnected(sd_bus_message *message _unused_, void *userdata, sd_bus_error *error _unused_)
{
        ControlClient *client = userdata;

        control_drop(client->control, client);
        return 0;
}

static const sd_bus_vtable vtable[] = {
        SD_BUS_VTABLE_START(0),
        SD_BUS_METHOD("Reload", "", "", on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("Stop", "", "", on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_METHOD("GetStatus", "", "a{sv}aa{sv}", on_get_status, SD_BUS_VTABLE_UNPRIVILEGED),
        SD_BUS_VTABLE_END,
};

/* Makes an sd-bus server of an accepted connection; the descriptor is taken. */
static int client_new(Control *control, int taken_fd, ControlClient **ret)
{
        _cleanup_(fd_closep) int fd = taken_fd;
        _cleanup_(client_freep) ControlClient *c = NULL;
        sd_id128_t id;
        int r;

        c = malloc(sizeof *c);
        if (!c)
                return -ENOMEM;
        *c = (ControlClient) { .control = control };

        r = sd_bus_new(&c->bus);
        if (r < 0)
                return r;
        (void) sd_bus_set_description(c->bus, "control");
        r = sd_id128_randomize(&id);
        if (r < 0)
                return r;
        r = sd_bus_set_fd(c->bus, fd, fd);
        if (r < 0)
                return r;
        TAKE_FD(fd);
        r = sd_bus_set_server(c->bus, true, id);
        if (r < 0)
                return r;
        /* A client that got here is root, and may do everything: see is_root(). */
        r = sd_bus_set_trusted(c->bus, true);
        if (r < 0)
                return r;
        r = sd_bus_add_object_vtable(c->bus, NULL, CONTROL_OBJECT, CONTROL_INTERFACE, vtable, c);
        if (r < 0)
                return r;
        r = sd_bus_match_signal_async(c->bus, NULL, "org.freedesktop.DBus.Local", NULL,
                                      "org.freedesktop.DBus.Local", "Disconnected", on_disconnected, NULL,
                                      c);
        if (r < 0)
                return r;
        r = sd_bus_start(c->bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(c->bus, control->pool->event, SD_EVENT_PRIORITY_NORMAL);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

/*
 * The socket's mode lets in root alone; but a drop-in may change the mode, or a script get hold of a
 * descriptor.
 */
static bool is_root(int connection)
{
        struct ucred peer;
        socklen_t size = sizeof peer;

        return getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) >= 0 && peer.uid == 0;
}

/* 1 and a connection; 0 for one whose client is gone or is not root; -EAGAIN for none. */
static int take_connection(Control *c, int *ret_fd)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        char byte;

        fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0)
                return -errno;
        if (!is_root(fd) || recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
                return 0;
        *ret_fd = TAKE_FD(fd);
        return 1;
}

/* The connection is taken. */
static void serve(Control *c, int connection)
{
        int r;

        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                if (c->clients[i])
                        continue;
                r = client_new(c, connection, &c->clients[i]);
                if (r < 0)
                        (void) log_debug_errno(r, "Failed to serve a control connection, closing it: %m");
                return;
        }
        if (log_is_due(&c->full_logged, CONTROL_LOG_INTERVAL))
                log_warning("More than %d control connections, closing the newest.", CONTROL_CLIENTS_MAX);
        fd_close(connection);
}

static int on_connection(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_,
                         void *userdata)
{
        Control *c = userdata;

        for (size_t i = 0; i < CONTROL_BATCH_MAX; i++) {
                int connection, r;

                r = take_connection(c, &connection);
                if (r < 0)
                        break;
                if (r > 0)
                        serve(c, connection);
        }
        return 0;
}

int control_new(Pool *p, Control **ret)
{
        _cleanup_(control_freep) Control *c = NULL;
        int r;

        if (p->listen.control < 0)
                return 0;
        c = calloc(1, sizeof *c);
        if (!c)
                return -ENOMEM;
        c->pool = p;
        c->fd = p->listen.control;

        r = sd_event_add_io(p->event, &c->source, c->fd, EPOLLIN, on_connection, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->source, "control-socket");
        /* Also for when no descriptor is left to accept with. */
        (void) sd_event_source_set_ratelimit(c->source, USEC_PER_SEC, CONTROL_RATE_MAX);

        *ret = TAKE_PTR(c);
        return 0;
}

static void end_connections(Control *c)
{
        c->source = sd_event_source_disable_unref(c->source);
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                client_free(c->clients[i]);
                c->clients[i] = NULL;
        }
        /*
         * systemd keeps the socket open: clients in its queue would never learn that the manager has gone.
         */
        for (size_t i = 0; i < SOMAXCONN; i++) {
                _cleanup_(fd_closep) int connection = -EBADF;

                if (take_connection(c, &connection) < 0)
                        break;
        }
}

void control_free(Control *c)
{
        if (!c)
                return;
        end_connections(c);
        free(c);
}

static void answer_reload(sd_bus_message *call, const char *error)
{
        _cleanup_(freep) char *text = NULL;
        int r;

        if (!error) {
                (void) sd_bus_reply_method_return(call, "");
                return;
        }

        /* PHP's words may be in any encoding, or cut within a character: D-Bus takes UTF-8 only. */
        r = sd_bus_reply_method_errorf(call, CONTROL_ERROR_RELOAD, "%s", error);
        if (r >= 0)
                return;
        text = strdup(error);
        if (text)
                utf8_make_printable_lines(text);
        (void) sd_bus_reply_method_errorf(call, CONTROL_ERROR_RELOAD, "%s", text ?: "out of memory");
}

void control_look(Control *c)
{
        const Reloads *reloads;

        if (!c)
                return;
        reloads = &c->pool->reloads;
        for (size_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
                ControlClient *client = c->clients[i];

                if (!client || !client->reload || client->ticket > reloads->served)
                        continue;
                answer_reload(client->reload, reloads->failed ? reloads->failure ?: "out of memory" : NULL);
                client->reload = sd_bus_message_unref(client->reload);
        }
        /* php-poolctl stop waits for the end of its connection; the loop must not wait for a client. */
        if (c->pool->life.state == POOL_STOPPING)
                end_connections(c);
}
