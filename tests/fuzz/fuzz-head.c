/* SPDX-License-Identifier: MIT */

/*
 * What another worker, which ran scripts, says it has read of a connection, and what the client sends then:
 * the first two bytes say how much of the input is the head. Each request is answered. Where a head is not
 * complete, it goes to yet another connection, as it does between workers.
 */

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/connection.h"
#include "input.h"
#include "worker/transport/fastcgi.h"

#define TIMEOUT USEC_PER_MSEC /* no input is worth more of a wait */
#define REQUESTS_MAX 32

/* The client: what it has still to send. */
typedef struct Client {
        int fd;
        Input rest;
} Client;

/* Sends the rest, and the end, at once: nobody waits for a client of ours. */
static void client_send(Client *client)
{
        if (client->fd < 0)
                return;
        (void) send(client->fd, client->rest.bytes, client->rest.left, MSG_NOSIGNAL);
        CHECK(shutdown(client->fd, SHUT_WR) == 0 || errno == ENOTCONN);
        client->fd = -EBADF;
}

static void answer(Connection *c, Request *request, Client *client)
{
        char buffer[512];

        client_send(client);
        while (request->ops->read_body(request, buffer, sizeof buffer) > 0)
                ;
        (void) request->ops->write_head(request, &(Head) { .status = 200 });
        (void) request->ops->write(request, "x", 1);
        connection_settle(c);
        connection_done(c);
}

/* Serves what there is: the last verdict. */
static int serve(Connection *c, Client *client)
{
        int r = CONNECTION_IDLE;

        for (size_t i = 0; i < REQUESTS_MAX; i++) {
                Request *request;

                r = connection_next(c, &request);
                CHECK(r > 0);
                if (r != CONNECTION_REQUEST)
                        return r;
                answer(c, request, client);
                if (connection_fd(c) < 0)
                        return CONNECTION_ENDED;
        }
        return r;
}

static Connection *connect_with(int fd, const Origin *origin)
{
        static HookCalls calls;
        Connection *c;

        CHECK(connection_new(&fastcgi_transport, TIMEOUT, &counting_hooks, &calls, &c) == 0);
        CHECK(connection_open(c, fd, origin) == 0);
        return c;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(connection_freep) Connection *first = NULL, *second = NULL;
        Origin origin = { .unix_socket = true, .head = -EBADF };
        Input in = { data, size };
        Client client;
        uint16_t n;
        int pair[2];

        input_bytes(&in, &n, sizeof n);
        n = (uint16_t) MIN((size_t) n, in.left);
        if (n > 0)
                CHECK(fd_new_sealed_memfd("fuzz", in.bytes, n, &origin.head) == 0);
        CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);

        client = (Client){ pair[0], { in.bytes + n, in.left - n } };
        first = connect_with(pair[1], &origin);
        if (serve(first, &client) == CONNECTION_PARTIAL) {
                CHECK(connection_save(first, &origin) == 0 && origin.head >= 0);
                second = connect_with(fcntl(pair[1], F_DUPFD_CLOEXEC, 3), &origin);
                connection_close(first);
        }
        client_send(&client);
        if (connection_fd(second ?: first) >= 0)
                (void) serve(second ?: first, &client);
        close(pair[0]);
        return 0;
}
