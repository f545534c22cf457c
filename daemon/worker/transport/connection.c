/* SPDX-License-Identifier: MIT */

/*
 * One FastCGI connection: see connection.h. It owns the socket and the buffers of both directions, and
 * implements RequestOps. serve/own.c decides when it reads, and when it is parked.
 *
 * Closing: a socket closed with unread input resets the connection, and the client may lose the end of its
 * answer; a web server that cannot send all of a body may give the answer up (nginx: 502). So what a script
 * left of the body is read first, for as long as it comes. The peer's end of file is never waited for.
 */

#include "worker/transport/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/log.h"
#include "fastcgi/encoder.h"
#include "worker/request/wait.h"
#include "worker/transport/input.h"
#include "worker/transport/output.h"

struct Connection {
        Request request; /* the first member: see connection_of() */
        Origin origin; /* its head was replayed */
        const ConnectionHooks *hooks;
        void *userdata;
        usec_t header_timeout;
        usec_t deadline; /* CLOCK_MONOTONIC: when the head that has begun must be complete; 0 without one */

        int fd;
        bool keep;       /* of the current request: FCGI_KEEP_CONN */
        bool responder;  /* the current request's role */
        bool close_next; /* the decoder wants the connection closed */
        bool body_begun; /* some of the current request's body has come */
        bool body_ended; /* nothing of the current request is still to come */
        bool aborted;    /* the web server gave the current request up */
        bool active;     /* there is a current request */
        bool settled;    /* connection_settle() was called for the current request */

        const uint8_t *body; /* of the input's buffer: what the script has not read yet */
        size_t body_size;
        Input input;
        Output output;
};

static const char too_large[] = "Status: 431 Request Header Fields Too Large\r\n"
                                "Content-Type: text/plain; charset=UTF-8\r\n"
                                "\r\n"
                                "Request header fields too large.\n";

static const char timed_out[] = "Status: 504 Gateway Timeout\r\n"
                                "Content-Type: text/plain; charset=UTF-8\r\n"
                                "\r\n"
                                "The request took too long.\n";

static Connection *connection_of(Request *request)
{
        return (Connection *) request;
}

/* ---- Input ---- */

/* The next event; replies are put on their way, and wait for room until the deadline. */
static int decode(Connection *c, usec_t deadline, FcgiItem *ret)
{
        for (;;) {
                int r;

                r = input_next(&c->input, ret);
                if (r != FCGI_REPLY)
                        return r;

                c->close_next = c->close_next || ret->data.close;
                r = output_record(&c->output, ret->data.bytes, ret->data.size, deadline);
                if (r < 0)
                        return r;
        }
}

/* Reads once, of a body: input_read(). */
static int read_some(Connection *c)
{
        int r;

        r = (int) input_read(&c->input);
        if (r > 0)
                c->hooks->progress(c->userdata);
        return r;
}

/* Reads some of a body, waiting for it. The bytes stand in c->body. 0 or -errno. */
static int read_body(Connection *c)
{
        FcgiItem item;
        int r;

        while (c->body_size == 0 && !c->body_ended && !c->aborted) {
                r = decode(c, USEC_INFINITY, &item);
                switch (r) {
                case FCGI_BODY:
                        c->body_begun = true;
                        c->body = item.data.bytes;
                        c->body_size = item.data.size;
                        break;
                case FCGI_BODY_END:
                case FCGI_PAUSED:
                        c->body_ended = true;
                        break;
                case FCGI_ABORT:
                        c->aborted = true;
                        break;
                case FCGI_NEED_MORE:
                        r = read_some(c);
                        if (r == 0)
                                r = wait_for(c->fd, POLLIN, USEC_INFINITY);
                        break;
                default:
                        break;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * Drops the rest of the request: what is in our memory, and up to the given size of what can be read. Waits
 * for each CONNECTION_DRAIN_PROGRESS bytes of it for as long as the given patience. 0, or -errno when no
 * more can come.
 */
static int drain(Connection *c, size_t max_read, usec_t patience)
{
        usec_t end = patience > 0 ? usec_add(now_monotonic(), patience) : 0;
        size_t n_read = 0, n_due = CONNECTION_DRAIN_PROGRESS;
        FcgiItem item;
        int r;

        c->body_size = 0;
        while (!c->body_ended) {
                r = decode(c, /* deadline= */ 0, &item);
                if (r < 0)
                        return r;
                if (r == FCGI_BODY)
                        c->body_begun = true;
                if (r == FCGI_BODY_END || r == FCGI_ABORT || r == FCGI_PAUSED)
                        c->body_ended = true;
                if (r != FCGI_NEED_MORE)
                        continue;

                if (n_read >= max_read)
                        return 0;
                r = read_some(c);
                if (r == 0 && patience == 0)
                        return 0;
                if (r == 0)
                        r = wait_for(c->fd, POLLIN, end);
                else if (r > 0)
                        n_read += (size_t) r;
                if (r < 0)
                        return r;

                if (patience > 0 && n_read >= n_due) {
                        n_due = n_read + CONNECTION_DRAIN_PROGRESS;
                        end = usec_add(now_monotonic(), patience);
                } else if (patience > 0 && now_monotonic() > end)
                        return -ETIMEDOUT;
        }
        return 0;
}

/*
 * True when the end of the body is still to come. A responder's request always has it, and Apache and Caddy
 * send it in a record of its own, so late that the answer may be there first; meeting a closed socket then,
 * they take the request for failed. Where the socket stays open, nothing has to wait for it. An
 * authorizer's client may leave it out (6.3).
 */
static bool end_expected(const Connection *c)
{
        const char *length = params_get(c->request.params, "CONTENT_LENGTH", NULL);

        return c->body_begun || (length && *length && !streq(length, "0")) ||
               params_get(c->request.params, "HTTP_TRANSFER_ENCODING", NULL) || (c->responder && !c->keep);
}

/* Sends what was answered behind the request's own answer. 0, or -errno where the connection is to end. */
static int flush_replies(Connection *c)
{
        int r;

        r = output_flush(&c->output, /* deadline= */ 0);
        return r >= 0 && c->close_next ? -ECONNRESET : r;
}

/*
 * The client has its answer; what it still sends of the request is dropped. 0, or -errno: no more will come.
 */
static int drain_rest(Connection *c)
{
        int r;

        r = drain(c, c->keep ? 0 : CONNECTION_DRAIN_MAX, /* patience= */ 0);
        if (r >= 0 && !c->body_ended && !c->aborted && end_expected(c))
                r = drain(c, SIZE_MAX, c->header_timeout);
        return r < 0 || !c->keep ? r : flush_replies(c);
}

/* ---- The operations of a request ---- */

/* Gives what is there, and waits only for the first byte. */
static ssize_t on_read_body(Request *request, void *buffer, size_t size)
{
        Connection *c = connection_of(request);
        size_t n;
        int r;

        if (c->fd < 0 || size == 0)
                return 0;

        r = read_body(c);
        if (r < 0)
                return r;
        if (c->aborted)
                return -ECONNABORTED;

        n = MIN(size, c->body_size);
        if (n > 0)
                memcpy(buffer, c->body, n);
        c->body += n;
        c->body_size -= n;
        return (ssize_t) n;
}

static int append(Request *request, FcgiType type, const void *bytes, size_t size)
{
        Connection *c = connection_of(request);

        if (request->finished)
                return 0;
        if (c->aborted)
                return -EPIPE;
        return output_write(&c->output, type, bytes, size);
}

static int on_write(Request *request, const void *bytes, size_t size)
{
        return append(request, FCGI_STDOUT, bytes, size);
}

static int on_write_error(Request *request, const void *bytes, size_t size)
{
        return append(request, FCGI_STDERR, bytes, size);
}

static int on_flush(Request *request)
{
        Connection *c = connection_of(request);

        if (request->finished)
                return 0;
        if (c->aborted)
                return -EPIPE;
        return output_flush(&c->output, USEC_INFINITY);
}

/*
 * A kept socket stays open. Any other is closed as soon as the request was read to its end; before that, the
 * client is told that no more will come, and the rest of the request is read by whoever wants it, or by
 * connection_done().
 */
static int on_finish(Request *request)
{
        Connection *c = connection_of(request);
        int r;

        if (request->finished)
                return 0;
        request->finished = true;

        output_end(&c->output);
        r = output_flush(&c->output, USEC_INFINITY);
        if (r < 0 || !c->keep) {
                if (r < 0 || drain(c, CONNECTION_DRAIN_MAX, 0) < 0 || c->body_ended)
                        connection_close(c);
                else
                        (void) shutdown(c->fd, SHUT_WR);
        }
        c->hooks->finishing(c->userdata);
        return r;
}

static void on_script_known(Request *request, const char *script)
{
        Connection *c = connection_of(request);

        c->hooks->script_known(c->userdata, script);
}

static void on_script_ended(Request *request)
{
        Connection *c = connection_of(request);

        c->hooks->finishing(c->userdata);
}

/*
 * The script goes on for longer than its client: the next request on a kept socket need not wait for that.
 * Bytes behind this request would have to be read twice: such a socket stays.
 */
static void on_release(Request *request)
{
        Connection *c = connection_of(request);

        if (!request->finished || c->fd < 0 || !c->keep)
                return;
        if (drain(c, CONNECTION_DRAIN_MAX, /* patience= */ 0) < 0 || !c->body_ended || c->aborted)
                return;
        if (!input_ahead(&c->input) && flush_replies(c) >= 0)
                c->hooks->released(c->userdata);
}

static const RequestOps ops = {
        .read_body = on_read_body,
        .write = on_write,
        .write_error = on_write_error,
        .flush = on_flush,
        .finish = on_finish,
        .release = on_release,
        .script_known = on_script_known,
        .script_ended = on_script_ended,
};

/* ---- The connection ---- */

int connection_new(usec_t header_timeout, const ConnectionHooks *hooks, void *userdata, Connection **ret)
{
        _cleanup_(connection_freep) Connection *c = NULL;
        int r;

        c = malloc(sizeof *c);
        if (!c)
                return -ENOMEM;
        memset(c, 0, offsetof(Connection, input)); /* the buffers stay untouched, and cost nothing yet */
        c->fd = -EBADF;
        c->hooks = hooks;
        c->userdata = userdata;
        c->header_timeout = header_timeout;
        c->input.decoder = NULL;
        c->output.stall_timeout = OUTPUT_STALL_TIMEOUT;
        c->output.waiting = hooks->waiting;
        c->output.progress = hooks->progress;
        c->output.userdata = userdata;
        output_reset(&c->output, -EBADF);

        r = input_init(&c->input);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

void connection_free(Connection *c)
{
        if (!c)
                return;
        connection_close(c);
        input_done(&c->input);
        free(c);
}

/* What another worker has read comes first. Takes the descriptor. */
static int replay(Connection *c, int head)
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

int connection_open(Connection *c, int fd, const Origin *origin)
{
        int r;

        assert(c->fd < 0);
        assert(origin->protocol == PROTOCOL_FASTCGI);

        c->fd = fd;
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
                connection_close(c);
        return r;
}

void connection_close(Connection *c)
{
        if (c->fd < 0)
                return;
        c->hooks->closing(c->userdata, c->fd);
        c->fd = fd_close(c->fd);
}

int connection_fd(const Connection *c)
{
        return c->fd;
}

int connection_save(const Connection *c, Origin *ret)
{
        _cleanup_(freep) uint8_t *bytes = NULL;
        Origin origin = {
                .protocol = c->origin.protocol,
                .unix_socket = c->origin.unix_socket,
                .head = -EBADF,
        };
        size_t size;
        int r;

        if (connection_pending(c) && !c->active) {
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

usec_t connection_deadline(const Connection *c)
{
        return c->deadline > 0 ? c->deadline : USEC_INFINITY;
}

bool connection_pending(const Connection *c)
{
        return input_pending(&c->input);
}

static void start_request(Connection *c, const FcgiRequest *request)
{
        c->request = (Request) {
                .ops = &ops,
                .params = request->params,
                .unix_socket = c->origin.unix_socket,
        };
        c->keep = request->keep_connection;
        c->responder = request->role == FCGI_RESPONDER;
        c->body_begun = c->body_ended = c->aborted = c->settled = false;
        c->body_size = 0;
        c->output.request_id = request->id;
        c->output.begun = false;
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
static bool refuse_request(Connection *c)
{
        int r;

        log_debug("A request's parameters are too large or too many: it was answered with status 431.");
        (void) output_write(&c->output, FCGI_STDOUT, too_large, strlen(too_large));
        output_end(&c->output);
        if (output_flush(&c->output, c->deadline) < 0)
                return false;
        if (!c->keep)
                (void) shutdown(c->fd, SHUT_WR);

        r = drain_rest(c);
        fcgi_decoder_finish(c->input.decoder);
        return r >= 0 && c->keep;
}

/* The head's time, which began with its first byte. */
static bool head_is_late(const Connection *c)
{
        if (now_monotonic() <= c->deadline)
                return false;
        log_debug("A client sent part of a request only, within request.header_timeout.");
        return true;
}

static void end_head(Connection *c)
{
        c->deadline = 0;
        c->origin.moves = 0;
}

/* All input was taken: reads more, unless that was done. A verdict, or 0 to go on. */
static int read_head(Connection *c, bool begun, bool *have_read)
{
        bool busy = fcgi_decoder_busy(c->input.decoder);
        int r = 0;

        if (output_flush(&c->output, /* deadline= */ 0) < 0 || c->close_next)
                return CONNECTION_ENDED;
        if (!busy) {
                end_head(c);
                if (begun)
                        return CONNECTION_IDLE;
        }

        if (!*have_read)
                r = (int) input_read(&c->input);
        *have_read = true;
        if (r > 0)
                return 0;
        if (r < 0 && busy)
                log_debug_errno(r, "A client sent part of a request only: %m");
        if (r < 0 || (busy && head_is_late(c)))
                return CONNECTION_ENDED;
        return busy ? CONNECTION_PARTIAL : CONNECTION_IDLE;
}

/* Bytes of the client are here. */
static void begin_head(Connection *c)
{
        c->hooks->reading(c->userdata);
        if (c->deadline == 0)
                c->deadline = usec_add(now_monotonic(), c->header_timeout);
}

int connection_next(Connection *c, Request **ret)
{
        bool begun = connection_pending(c), have_read = false;
        FcgiItem item;
        int r;

        if (begun)
                begin_head(c);

        for (;;) {
                r = decode(c, /* deadline= */ 0, &item);
                if (r == -ENOMEM)
                        return r;
                if (r < 0) {
                        log_debug_errno(r, "A client sent what is no FastCGI, or took no answer: %m");
                        return CONNECTION_ENDED;
                }

                if (r == FCGI_NEED_MORE) {
                        r = read_head(c, begun, &have_read);
                        if (r != 0)
                                return r;
                        begun = true;
                        begin_head(c);
                } else if (r == FCGI_REQUEST || r == FCGI_TOO_LARGE) {
                        start_request(c, &item.request);
                        /* One more parameter may be one too many. */
                        if (r == FCGI_REQUEST && set_role(item.request.params, item.request.role) >= 0) {
                                end_head(c);
                                c->active = true;
                                *ret = &c->request;
                                return CONNECTION_REQUEST;
                        }
                        if (!refuse_request(c))
                                return CONNECTION_ENDED;
                }
        }
}

void connection_give_up(const Connection *c)
{
        uint8_t bytes[FCGI_ANSWER_SIZE(sizeof timed_out - 1, 0)], *end;

        if (c->fd < 0 || c->request.finished || c->output.begun)
                return;
        end = fcgi_encode_answer(bytes, &(FcgiAnswer) {
                                                .request_id = c->output.request_id,
                                                .head = timed_out,
                                                .head_size = sizeof timed_out - 1,
                                        });
        (void) send(c->fd, bytes, (size_t) (end - bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void connection_settle(Connection *c)
{
        int r;

        if (c->settled)
                return;
        c->settled = true;
        (void) on_finish(&c->request);

        if (c->fd >= 0) {
                r = drain_rest(c);
                if (r < 0)
                        log_debug_errno(r, "A client did not send all of a request that was answered: %m");
                if (r < 0 || !c->keep)
                        connection_close(c);
        }
        c->body_size = 0;
}

void connection_done(Connection *c)
{
        connection_settle(c);
        fcgi_decoder_finish(c->input.decoder);
        c->active = false;
}
