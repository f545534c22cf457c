/* SPDX-License-Identifier: MIT */

/*
 * The status sockets: see status-server.h. A request is answered whatever script it names: with the ping's
 * answer at ping.path, with the page that its query asks for everywhere else. Each client has one answer in
 * memory at a time, and nothing more is read of it before that has left. Nothing here ever waits.
 */

#include "manager/face/status-server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/messages.h"
#include "config/clients.h"
#include "fastcgi/decoder.h"
#include "fastcgi/encoder.h"
#include "ipc/inherit.h"
#include "manager/face/outbox.h"

#define INPUT_SIZE 4096

/*
 * Connections taken at once: fewer than there is room for, so that the first to come is heard first, and
 * so often that a silent client holds up those behind it by half a millisecond, as at a worker.
 */
#define STATUS_RATE_MAX 10
#define STATUS_RATE_INTERVAL (5 * USEC_PER_MSEC)

#define CROWDED_LOG_INTERVAL (60 * USEC_PER_SEC)

/* The most of a head: one of these, and dump_headers(). */
#define HEAD_MAX 512

#define TOO_LARGE "Status: 431 Request Header Fields Too Large\r\n"
#define UNAVAILABLE "Status: 503 Service Unavailable\r\n"

typedef struct StatusClient {
        StatusServer *server;
        int fd;
        struct sockaddr_storage peer;
        usec_t active; /* CLOCK_MONOTONIC: when it last said or took something */
        sd_event_source *source;
        sd_event_source *timer_source;
        FcgiDecoder *decoder;
        uint8_t input[INPUT_SIZE];
        size_t n_input, input_at;
        Outbox output;
        FcgiRequest request;
        bool too_large; /* the request's parameters */
        bool more;      /* there may be another request in the input */
        bool ending;    /* close it when the output has left */
} StatusClient;

struct StatusServer {
        sd_event *event;
        StatusServerPool pool;
        sd_event_source *sources[INHERIT_LISTEN_MAX];
        StatusClient *clients[STATUS_CLIENTS_MAX];
        Clients allowed;       /* security.allowed_clients, while a client is compared with it */
        usec_t crowded_logged; /* CLOCK_MONOTONIC; 0 for never */
};

static void status_client_free(StatusClient *c)
{
        if (!c)
                return;
        sd_event_source_disable_unref(c->source);
        sd_event_source_disable_unref(c->timer_source);
        fcgi_decoder_free(c->decoder);
        fd_close(c->fd);
        outbox_clear(&c->output);
        free(c);
}
DEFINE_CLEANUP(StatusClient *, status_client_free)

static void status_client_drop(StatusClient *c)
{
        StatusServer *s = c->server;

        for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
                if (s->clients[i] == c)
                        s->clients[i] = NULL;
        status_client_free(c);
}

static const Config *settings(const StatusServer *s)
{
        return s->pool.settings(s->pool.userdata);
}

/* ---- Output ---- */

/* What the clients have not taken, all together. */
static size_t output_pending(const StatusServer *s)
{
        size_t n = 0;

        for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
                if (s->clients[i])
                        n += outbox_pending(&s->clients[i]->output);
        return n;
}

/* One answer: a CGI head, a body, and the end of the request. */
static int output_answer(StatusClient *c, const char *head, const char *body, size_t body_size)
{
        const FcgiAnswer answer = {
                .request_id = c->request.id,
                .head = head,
                .head_size = strlen(head),
                .body = body,
                .body_size = body_size,
        };
        uint8_t *p;

        p = outbox_extend(&c->output, fcgi_answer_size(&answer));
        if (!p)
                return -ENOMEM;
        (void) fcgi_encode_answer(p, &answer);
        return 0;
}

/* ---- Requests ---- */

/* An answer that is a status and no more. */
static int refuse(StatusClient *c, const char *status)
{
        char head[HEAD_MAX];
        int n;

        n = snprintf(head, sizeof head, "%s%s", status, dump_headers(DUMP_TEXT));
        assert(n > 0 && (size_t) n < sizeof head);
        return output_answer(c, head, NULL, 0);
}

/* An answer, if what the clients have not taken leaves room for it. */
static int give(StatusClient *c, const char *head, const char *body, size_t body_size)
{
        size_t pending = output_pending(c->server);

        if (pending > 0 && pending + strlen(head) + body_size > STATUS_PENDING_MAX)
                return refuse(c, UNAVAILABLE);
        return output_answer(c, head, body, body_size);
}

/* The page that a request asks for, or its head alone. */
static int answer_page(StatusClient *c, bool head)
{
        const StatusServerPool *pool = &c->server->pool;
        _cleanup_(freep) char *page = NULL;
        DumpFormat format;
        size_t size = 0;
        bool full;

        format = dump_format_of_query(params_get(c->request.params, "QUERY_STRING", NULL), &full);
        if (!head && pool->page(pool->userdata, format, full, &page, &size) < 0)
                return refuse(c, UNAVAILABLE);
        return give(c, dump_headers(format), page, size);
}

static int answer(StatusClient *c)
{
        const Params *params = c->request.params;
        const Config *config = settings(c->server);
        const char *name = params_get(params, "SCRIPT_NAME", NULL);
        const char *method = params_get(params, "REQUEST_METHOD", NULL);
        bool head = method && streq(method, "HEAD");

        if (c->too_large)
                return refuse(c, TOO_LARGE);
        if (config && *config->ping_path && name && streq(name, config->ping_path))
                return give(c, dump_headers(DUMP_TEXT), config->ping_response,
                            head ? 0 : strlen(config->ping_response));
        return answer_page(c, head);
}

static int request_end(StatusClient *c, int r)
{
        c->ending = c->ending || !c->request.keep_connection;
        fcgi_decoder_finish(c->decoder);
        return r;
}

/* security.allowed_clients, as it is now. */
static bool status_client_allowed(const StatusClient *c)
{
        _cleanup_(freep) Network *networks = NULL;
        const Config *config = settings(c->server);
        Clients *allowed = &c->server->allowed;
        bool good;

        if (c->peer.ss_family == AF_UNIX)
                return true;
        if (!config)
                return false;
        if (network_parse_list(config->security_allowed_clients, &networks, &allowed->n_allowed) < 0)
                return false;
        allowed->allowed = networks;
        good = clients_allow(allowed, &c->peer);
        allowed->allowed = NULL;
        return good;
}

/* Its parameters are there. Answered before its end, a client that is still sending might not see it. */
static int request_begin(StatusClient *c, const FcgiRequest *request, bool too_large)
{
        if (!status_client_allowed(c)) /* there may have been a reload since it came */
                return -EACCES;
        c->request = *request;
        c->too_large = too_large;
        return request->role == FCGI_AUTHORIZER ? request_end(c, answer(c)) : 0;
}

/* What one event of the decoder means. 0 or -errno. */
static int status_client_event(StatusClient *c, FcgiEvent event, const FcgiItem *item)
{
        switch (event) {
        case FCGI_REQUEST:
        case FCGI_TOO_LARGE:
                return request_begin(c, &item->request, event == FCGI_TOO_LARGE);
        case FCGI_BODY_END:
        case FCGI_PAUSED: /* the next one has begun, where the end was left out */
                return request_end(c, answer(c));
        case FCGI_ABORT:
                return request_end(c, output_answer(c, "", NULL, 0));
        case FCGI_REPLY:
                c->ending = c->ending || item->data.close;
                return outbox_append(&c->output, item->data.bytes, item->data.size);
        default:
                return 0;
        }
}

/* Goes through what was read until there is something to send. 0 or -errno. */
static int status_client_decode(StatusClient *c)
{
        while (outbox_pending(&c->output) == 0 && !c->ending) {
                FcgiItem item;
                size_t used;
                int r;

                r = fcgi_decoder_next(c->decoder, c->input + c->input_at, c->n_input - c->input_at, &used,
                                      &item);
                if (r < 0)
                        return r;
                c->input_at += used;
                if (r == FCGI_NEED_MORE)
                        return 0;
                r = status_client_event(c, (FcgiEvent) r, &item);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Reads once. 1, 0 where there is nothing now, or -errno; -ECONNRESET at the end of the connection. */
static int status_client_read(StatusClient *c)
{
        ssize_t n;

        n = recv(c->fd, c->input, sizeof c->input, MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        c->n_input = (size_t) n;
        c->input_at = 0;
        return n > 0 ? 1 : -ECONNRESET;
}

/*
 * One step of a client: at most one answer, so that none keeps the loop from others. 0 or -errno, when it is
 * to be dropped.
 */
static int status_client_step(StatusClient *c)
{
        int r;

        if (outbox_pending(&c->output) == 0 && !c->more) {
                r = status_client_read(c);
                if (r <= 0)
                        return r;
        }
        c->more = false;
        r = status_client_decode(c);
        if (r < 0)
                return r;
        if (outbox_pending(&c->output) == 0)
                return sd_event_source_set_io_events(c->source, EPOLLIN);

        r = outbox_send(&c->output, c->fd);
        if (r < 0 || (r > 0 && c->ending))
                return r < 0 ? r : -ECONNRESET;
        if (r > 0) {
                c->more = true;
                r = sd_event_source_set_time_relative(c->timer_source, STATUS_CLIENT_TIME);
                if (r < 0)
                        return r;
        }
        return sd_event_source_set_io_events(c->source, EPOLLOUT);
}

static int on_client(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
        StatusClient *c = userdata;

        c->active = now_monotonic();
        if (status_client_step(c) < 0)
                status_client_drop(c);
        return 0;
}

static int on_client_time(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        status_client_drop(userdata);
        return 0;
}

/* ---- Connections ---- */

static int status_client_new(StatusServer *server, int taken_fd, const struct sockaddr_storage *peer,
                             StatusClient **ret)
{
        _cleanup_(status_client_freep) StatusClient *c = NULL;
        sd_event *event = server->event;
        int r;

        c = calloc(1, sizeof *c);
        if (!c) {
                fd_close(taken_fd);
                return -ENOMEM;
        }
        c->server = server;
        c->fd = taken_fd;
        c->peer = *peer;
        c->active = now_monotonic();
        if (!status_client_allowed(c))
                return -EACCES;

        r = fcgi_decoder_new(&c->decoder);
        if (r < 0)
                return r;
        r = sd_event_add_io(event, &c->source, c->fd, EPOLLIN, on_client, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->source, "status-client");
        r = sd_event_add_time_relative(event, &c->timer_source, CLOCK_MONOTONIC, STATUS_CLIENT_TIME, 0,
                                       on_client_time, c);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(c->timer_source, "status-client-time");
        *ret = TAKE_PTR(c);
        return 0;
}

/* A place for one more client, if need be that of the one that was silent for longest. */
static StatusClient **status_client_place(StatusServer *s)
{
        StatusClient **longest = &s->clients[0];

        for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++) {
                if (!s->clients[i])
                        return &s->clients[i];
                if (s->clients[i]->active < (*longest)->active)
                        longest = &s->clients[i];
        }
        if (log_is_due(&s->crowded_logged, CROWDED_LOG_INTERVAL))
                (void) log_record(LOG_WARNING, 0, MESSAGE_ID(STATUS_CROWDED), NULL,
                                  "More than %d clients of the status socket: those that were silent for "
                                  "longest are closed.",
                                  STATUS_CLIENTS_MAX);
        status_client_free(*longest);
        *longest = NULL;
        return longest;
}

static int on_connection(sd_event_source *s _unused_, int fd, uint32_t revents _unused_, void *userdata)
{
        struct sockaddr_storage peer = {};
        _cleanup_(status_client_freep) StatusClient *c = NULL;
        socklen_t size = sizeof peer;
        int connection, r;

        connection = accept4(fd, (struct sockaddr *) &peer, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (connection < 0)
                return 0;

        r = status_client_new(userdata, connection, &peer, &c);
        if (r >= 0)
                *status_client_place(userdata) = TAKE_PTR(c);
        else if (r != -EACCES)
                (void) log_debug_errno(r, "Failed to serve a status connection, closing it: %m");
        return 0;
}

static int watch_socket(StatusServer *s, int fd, sd_event_source **ret)
{
        int r;

        r = sd_event_add_io(s->event, ret, fd, EPOLLIN, on_connection, s);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(*ret, "status-socket");
        /* Also for when no descriptor is left to accept with. */
        (void) sd_event_source_set_ratelimit(*ret, STATUS_RATE_INTERVAL, STATUS_RATE_MAX);
        return 0;
}

int status_server_new(sd_event *event, const int *sockets, size_t n_sockets, const StatusServerPool *pool,
                      StatusServer **ret)
{
        _cleanup_(status_server_freep) StatusServer *s = NULL;
        int r;

        assert(n_sockets <= INHERIT_LISTEN_MAX);

        s = calloc(1, sizeof *s);
        if (!s)
                return -ENOMEM;
        s->event = event;
        s->pool = *pool;

        for (size_t i = 0; i < n_sockets; i++) {
                r = watch_socket(s, sockets[i], &s->sources[i]);
                if (r < 0)
                        return r;
        }
        *ret = TAKE_PTR(s);
        return 0;
}

void status_server_free(StatusServer *s)
{
        if (!s)
                return;
        for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
                status_client_free(s->clients[i]);
        for (size_t i = 0; i < INHERIT_LISTEN_MAX; i++)
                sd_event_source_disable_unref(s->sources[i]);
        free(s);
}
