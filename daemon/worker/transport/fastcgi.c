/* SPDX-License-Identifier: MIT */

/*
 * FastCGI as a transport: see fastcgi.h. It owns the socket and the buffers of both directions; here are a
 * connection's beginning and end, and the heads of its requests. serve/own.c decides when it reads, and when
 * it is parked. What comes behind a head is fastcgi-body.c's, the answer fastcgi-request.c's.
 */

#include "worker/transport/fastcgi.h"

#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "fastcgi/encoder.h"
#include "worker/transport/fastcgi-connection.h"

static const char too_large[] = "Status: 431 Request Header Fields Too Large\r\n"
                                "Content-Type: text/plain; charset=UTF-8\r\n"
                                "\r\n"
                                "Request header fields too large.\n";

static const char timed_out[] = "Status: 504 Gateway Timeout\r\n"
                                "Content-Type: text/plain; charset=UTF-8\r\n"
                                "\r\n"
                                "The request took too long.\n";

/* ---- A connection begins and ends ---- */

static int on_new(usec_t header_timeout, const ConnectionHooks *hooks, void *userdata, Connection **ret)
{
        _cleanup_(freep) FastcgiConnection *c = NULL;
        int r;

        c = malloc(sizeof *c);
        if (!c)
                return -ENOMEM;
        memset(c, 0, offsetof(FastcgiConnection, input)); /* buffers stay untouched, and cost nothing yet */
        c->connection = (Connection) {
                .transport = &fastcgi_transport,
                .hooks = hooks,
                .userdata = userdata,
                .fd = -EBADF,
        };
        c->request.answer = ANSWER_GONE;
        c->header_timeout = header_timeout;
        c->output.stall_timeout = OUTPUT_STALL_TIMEOUT;
        c->output.waiting = hooks->waiting;
        c->output.progress = hooks->progress;
        c->output.userdata = userdata;
        output_reset(&c->output, -EBADF);

        r = input_init(&c->input);
        if (r < 0)
                return r;

        *ret = &TAKE_PTR(c)->connection;
        return 0;
}

static void on_free(Connection *connection)
{
        FastcgiConnection *c = fastcgi_of(connection);

        connection_close(connection);
        input_done(&c->input);
        free(c);
}

/* What another worker has read comes first. Takes the descriptor. */
static int replay(FastcgiConnection *c, int head)
{
        void *bytes;
        size_t size;
        int r;

        r = io_read_file(head, HANDOFF_HEAD_MAX, &bytes, &size);
        fd_close(head);
        if (r < 0)
                return r;
        input_replay(&c->input, bytes, size);
        return 0;
}

static int on_open(Connection *connection, int fd, const Origin *origin)
{
        FastcgiConnection *c = fastcgi_of(connection);
        int r;

        assert(connection->fd < 0 && c->request.answer == ANSWER_GONE);
        assert(origin->protocol == PROTOCOL_FASTCGI);

        connection->fd = fd;
        c->origin = *origin;
        c->origin.head = -EBADF;
        c->deadline = origin->deadline;
        c->close_next = false;
        input_reset(&c->input, fd);
        output_reset(&c->output, fd);
        if (origin->head < 0)
                return 0;

        r = replay(c, origin->head);
        if (r < 0)
                connection_close(connection);
        return r;
}

static bool on_pending(const Connection *connection)
{
        return input_pending(&fastcgi_of_const(connection)->input);
}

static int on_save(const Connection *connection, Origin *ret)
{
        const FastcgiConnection *c = fastcgi_of_const(connection);
        _cleanup_(freep) uint8_t *bytes = NULL;
        Origin origin = {
                .protocol = c->origin.protocol,
                .unix_socket = c->origin.unix_socket,
                .head = -EBADF,
        };
        size_t size;
        int r;

        assert(c->request.answer == ANSWER_GONE || c->request.answer == ANSWER_RELEASED);

        if (c->request.answer == ANSWER_GONE && input_pending(&c->input)) {
                r = input_save(&c->input, &bytes, &size);
                if (r < 0)
                        return r;
                r = fd_new_sealed_memfd("php-pool-head", bytes, size, &origin.head);
                if (r < 0)
                        return r;
                origin.moves = (uint8_t) MIN(c->origin.moves + 1, UINT8_MAX);
                origin.deadline = c->deadline > 0 ? c->deadline
                                                  : usec_add(now_monotonic(), c->header_timeout);
        }
        *ret = origin;
        return 0;
}

/* ---- A request begins ---- */

static usec_t on_deadline(const Connection *connection)
{
        usec_t deadline = fastcgi_of_const(connection)->deadline;

        return deadline > 0 ? deadline : USEC_INFINITY;
}

static void start_request(FastcgiConnection *c, const FcgiRequest *request)
{
        assert(c->request.answer == ANSWER_GONE);

        c->request = (Request) {
                .ops = &fastcgi_request_ops,
                .params = request->params,
                .unix_socket = c->origin.unix_socket,
                .answer = ANSWER_OPEN,
        };
        c->keep = request->keep_connection;
        c->role = request->role;
        c->body = BODY_AWAITED;
        c->body_size = 0;
        output_begin_answer(&c->output, request->id);
}

/* FCGI_ROLE is a parameter like the others, as in PHP-FPM, which learns it before them. */
static int set_role(Params *params, FcgiRole role)
{
        static const char *const names[] = {
                [FCGI_RESPONDER] = "RESPONDER",
                [FCGI_AUTHORIZER] = "AUTHORIZER",
                [FCGI_FILTER] = "FILTER",
        };

        return params_set_first(params, "FCGI_ROLE", strlen("FCGI_ROLE"), names[role], strlen(names[role]));
}

/* Answers a request whose parameters are beyond all bounds. Returns false when that ended the connection. */
static bool refuse_request(FastcgiConnection *c)
{
        int r;

        log_debug("A request's parameters are too large or too many: it was answered with status 431.");
        request_set_answer(&c->request, ANSWER_GONE);
        (void) output_write(&c->output, FCGI_STDOUT, too_large, strlen(too_large));
        output_end(&c->output);
        r = output_flush(&c->output, c->deadline);
        if (r >= 0) {
                if (!c->keep)
                        (void) shutdown(c->connection.fd, SHUT_WR);
                r = fastcgi_discard_rest(c);
                fcgi_decoder_finish(c->input.decoder);
        }
        if (r < 0)
                fastcgi_close_failed(c, r);
        return r >= 0 && c->keep;
}

static void end_head(FastcgiConnection *c)
{
        c->deadline = 0;
        c->origin.moves = 0;
}

/* The client has sent no more; the time of a head began with its first byte. The verdict. */
static int end_reading(FastcgiConnection *c, bool busy, bool late)
{
        if (!late)
                return busy ? CONNECTION_PARTIAL : CONNECTION_IDLE;
        connection_close_late(&c->connection, LATE_WITH_HEAD);
        return CONNECTION_ENDED;
}

/*
 * All input was taken: reads more. Once is enough, but for a head whose time is over: a client that has sent
 * it all is not late, however much of it still waits in the socket. A verdict, or 0 to go on.
 */
static int read_head(FastcgiConnection *c, bool begun, size_t *n_read)
{
        bool busy = fcgi_decoder_busy(c->input.decoder), late;
        int r;

        r = output_flush(&c->output, /* deadline= */ 0);
        if (r < 0) {
                fastcgi_close_failed(c, r);
                return CONNECTION_ENDED;
        }
        if (c->close_next)
                return CONNECTION_ENDED;
        if (!busy) {
                end_head(c);
                if (begun)
                        return CONNECTION_IDLE;
        }

        late = busy && now_monotonic() > c->deadline;
        if (*n_read > 0 && (!late || *n_read >= HANDOFF_HEAD_MAX))
                return end_reading(c, busy, late);
        r = (int) input_read(&c->input);
        if (r == 0)
                return end_reading(c, busy, late);
        if (r < 0) {
                if (busy)
                        log_debug_errno(r, "A client sent part of a request only: %m");
                return CONNECTION_ENDED;
        }
        *n_read += (size_t) r;
        return 0;
}

/* Bytes of the client are here. */
static void begin_head(FastcgiConnection *c)
{
        c->connection.hooks->reading(c->connection.userdata);
        if (c->deadline == 0)
                c->deadline = usec_add(now_monotonic(), c->header_timeout);
}

/* What the decoder cannot go on from. A verdict, or -ENOMEM. */
static int give_connection_up(FastcgiConnection *c, int error)
{
        if (error == -ENOMEM)
                return error;
        fastcgi_close_failed(c, error);
        return CONNECTION_ENDED;
}

static int on_next(Connection *connection, Request **ret)
{
        FastcgiConnection *c = fastcgi_of(connection);
        bool begun = input_pending(&c->input);
        size_t n_read = 0;
        FcgiItem item;
        int r;

        assert(c->request.answer == ANSWER_GONE);

        if (begun)
                begin_head(c);

        for (;;) {
                r = fastcgi_decode(c, /* deadline= */ 0, &item);
                if (r < 0)
                        return give_connection_up(c, r);

                if (r == FCGI_NEED_MORE) {
                        r = read_head(c, begun, &n_read);
                        if (r != 0)
                                return r;
                        begun = true;
                        begin_head(c);
                } else if (r == FCGI_REQUEST || r == FCGI_TOO_LARGE) {
                        start_request(c, &item.request);
                        /* One more parameter may be one too many. */
                        if (r == FCGI_REQUEST && set_role(item.request.params, item.request.role) >= 0) {
                                end_head(c);
                                *ret = &c->request;
                                return CONNECTION_REQUEST;
                        }
                        if (!refuse_request(c))
                                return CONNECTION_ENDED;
                        end_head(c);
                        if (input_pending(&c->input))
                                begin_head(c);
                }
        }
}

/* ---- A request ends ---- */

static void on_give_up(const Connection *connection)
{
        const FastcgiConnection *c = fastcgi_of_const(connection);
        uint8_t bytes[FCGI_ANSWER_SIZE(sizeof timed_out - 1, 0)], *end;

        if (connection->fd < 0 || request_answered(&c->request) || output_begun(&c->output))
                return;
        end = fcgi_encode_answer(bytes, &(FcgiAnswer) {
                                                .request_id = c->output.request_id,
                                                .head = timed_out,
                                                .head_size = sizeof timed_out - 1,
                                        });
        (void) send(connection->fd, bytes, (size_t) (end - bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void on_settle(Connection *connection)
{
        FastcgiConnection *c = fastcgi_of(connection);
        int r;

        (void) request_finish(&c->request);
        request_set_answer(&c->request, ANSWER_SETTLED);

        if (connection->fd >= 0) {
                r = fastcgi_discard_rest(c);
                if (r < 0)
                        fastcgi_close_failed(c, r);
                else if (!c->keep)
                        connection_close(connection);
        }
        c->body_size = 0;
}

static void on_done(Connection *connection)
{
        FastcgiConnection *c = fastcgi_of(connection);

        request_set_answer(&c->request, ANSWER_GONE);
        fcgi_decoder_finish(c->input.decoder);
}

const Transport fastcgi_transport = {
        .new = on_new,
        .free = on_free,
        .open = on_open,
        .save = on_save,
        .next = on_next,
        .deadline = on_deadline,
        .settle = on_settle,
        .done = on_done,
        .give_up = on_give_up,
        .pending = on_pending,
};
