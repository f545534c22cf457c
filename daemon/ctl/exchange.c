/* SPDX-License-Identifier: MIT */

/*
 * The client's side of a FastCGI request: see exchange.h. One loop over poll(2) sends what is ready and
 * reads what came. Records of the answer are assembled in one buffer that holds the largest. Owns no
 * descriptor.
 */

#include "ctl/exchange.h"

#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "fastcgi/encoder.h"

#define REQUEST_ID 1
#define BODY_CHUNK 32768
#define RECORD_MAX (FCGI_HEADER_SIZE + FCGI_CONTENT_MAX + UINT8_MAX)
#define ADDRESS_MAX 256

typedef struct Exchange {
        int fd;
        int body_fd;
        const ExchangeSink *sink;

        uint8_t *out; /* what is to be sent next: sent of n_out bytes have been */
        size_t n_out, sent;
        bool out_ended; /* the whole request is in out, or was sent */

        uint8_t *in; /* RECORD_MAX bytes, n_in of them filled */
        size_t n_in;
        bool in_ended; /* END_REQUEST came */
        FcgiStatus status;
} Exchange;

static void exchange_clear(Exchange *e)
{
        free(e->out);
        free(e->in);
}

/* A blocking connect() ends after SO_SNDTIMEO too: with EAGAIN (Unix) or EINPROGRESS (TCP). */
static int connect_within(int fd, const struct sockaddr *address, socklen_t size, usec_t timeout)
{
        struct timeval tv = {}; /* 0: for ever */

        if (timeout != USEC_INFINITY)
                tv = (struct timeval) {
                        .tv_sec = (time_t) (timeout / USEC_PER_SEC),
                        .tv_usec = (suseconds_t) (timeout % USEC_PER_SEC),
                };
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv) < 0)
                return -errno;
        if (connect(fd, address, size) >= 0)
                return 0;
        return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
}

static int connect_unix(const char *path, usec_t timeout, int *ret_fd)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        if (strlen(path) >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        r = connect_within(fd, (struct sockaddr *) &address, sizeof address, timeout);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Connects to the first of the name's addresses that answers. */
static int connect_tcp(const char *host, const char *port, usec_t timeout, int *ret_fd)
{
        const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
        struct addrinfo *list;
        int r = -EADDRNOTAVAIL;

        if (getaddrinfo(host, port, &hints, &list) != 0)
                return -EADDRNOTAVAIL;
        for (struct addrinfo *a = list; a && r < 0; a = a->ai_next) {
                _cleanup_(fd_closep) int fd = -EBADF;

                fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
                r = fd < 0 ? -errno : connect_within(fd, a->ai_addr, a->ai_addrlen, timeout);
                if (r >= 0)
                        *ret_fd = TAKE_FD(fd);
        }
        freeaddrinfo(list);
        return r;
}

/* Splits "HOST:PORT" or "[v6]:PORT" at its last colon. */
static int connect_host_port(const char *address, usec_t timeout, int *ret_fd)
{
        const char *colon = strrchr(address, ':'), *host = address;
        size_t n = colon ? (size_t) (colon - address) : 0;
        char buffer[ADDRESS_MAX];

        if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
                host++;
                n -= 2;
        }
        if (n == 0 || n >= sizeof buffer || colon[1] == 0)
                return -EINVAL;
        memcpy(buffer, host, n);
        buffer[n] = 0;
        return connect_tcp(buffer, colon + 1, timeout, ret_fd);
}

int exchange_connect(const char *address, usec_t timeout, int *ret_fd)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = address[0] == '/' ? connect_unix(address, timeout, &fd)
                              : connect_host_port(address, timeout, &fd);
        if (r < 0)
                return r;
        r = fd_nonblock(fd, true);
        if (r < 0)
                return r;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Puts the request's head into out; it is later used again for the body. */
static int begin_request(Exchange *e, const Params *params)
{
        uint8_t *larger;
        int r;

        r = fcgi_encode_request_head(REQUEST_ID, FCGI_RESPONDER, /* keep_connection= */ false, params,
                                     &e->out, &e->n_out);
        if (r < 0)
                return r;
        larger = realloc(e->out, MAX(e->n_out, (size_t) FCGI_HEADER_SIZE + BODY_CHUNK));
        if (!larger)
                return -ENOMEM;
        e->out = larger;
        e->in = malloc(RECORD_MAX);
        return e->in ? 0 : -ENOMEM;
}

/* Puts the next STDIN record into out; the one that ends the body is empty. */
static int next_body(Exchange *e)
{
        ssize_t n = 0;

        do
                if (e->body_fd >= 0)
                        n = read(e->body_fd, e->out + FCGI_HEADER_SIZE, BODY_CHUNK);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;

        fcgi_encode_header(e->out, FCGI_STDIN, REQUEST_ID, (size_t) n, 0);
        e->n_out = FCGI_HEADER_SIZE + (size_t) n;
        e->sent = 0;
        e->out_ended = n == 0;
        return 0;
}

/* Sends what the socket takes. An application may answer and close without reading a body: no error. */
static int send_some(Exchange *e)
{
        ssize_t n;
        int r;

        if (e->sent == e->n_out) {
                r = next_body(e);
                if (r < 0)
                        return r;
        }
        n = send(e->fd, e->out + e->sent, e->n_out - e->sent, MSG_NOSIGNAL);
        if (n >= 0) {
                e->sent += (size_t) n;
                return 0;
        }
        if (errno == EPIPE || errno == ECONNRESET) {
                e->sent = e->n_out;
                e->out_ended = true;
                return 0;
        }
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

static int take_record(Exchange *e, const FcgiHeader *header, const uint8_t *content)
{
        const ExchangeSink *sink = e->sink;

        if (header->request_id != REQUEST_ID)
                return 0;
        switch (header->type) {
        case FCGI_STDOUT:
                return sink->on_output(sink->userdata, (const char *) content, header->content_size);
        case FCGI_STDERR:
                return sink->on_error(sink->userdata, (const char *) content, header->content_size);
        case FCGI_END_REQUEST:
                if (header->content_size < 8)
                        return -EBADMSG;
                e->status = (FcgiStatus) content[4];
                e->in_ended = true;
                return 0;
        default:
                return 0;
        }
}

/* Takes the complete records in the buffer and moves the rest to its front. */
static int take_records(Exchange *e)
{
        size_t used = 0;

        while (!e->in_ended && e->n_in - used >= FCGI_HEADER_SIZE) {
                FcgiHeader header = fcgi_decode_header(e->in + used);
                size_t size = FCGI_HEADER_SIZE + (size_t) header.content_size + header.padding_size;
                int r;

                if (header.version != FCGI_VERSION_1)
                        return -EBADMSG;
                if (e->n_in - used < size)
                        break;
                r = take_record(e, &header, e->in + used + FCGI_HEADER_SIZE);
                if (r < 0)
                        return r;
                used += size;
        }
        memmove(e->in, e->in + used, e->n_in - used);
        e->n_in -= used;
        return 0;
}

static int receive_some(Exchange *e)
{
        ssize_t n;

        n = recv(e->fd, e->in + e->n_in, RECORD_MAX - e->n_in, 0);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ECONNRESET;
        e->n_in += (size_t) n;
        return take_records(e);
}

/* What poll(2) takes: milliseconds, rounded up, or -1 for ever. */
static int poll_timeout(usec_t deadline)
{
        usec_t ms;

        if (deadline == USEC_INFINITY)
                return -1;
        ms = usec_add(usec_sub(deadline, now_monotonic()), USEC_PER_MSEC - 1) / USEC_PER_MSEC;
        return ms < INT_MAX ? (int) ms : INT_MAX;
}

int exchange_run(int fd, const Params *params, int body_fd, usec_t deadline, const ExchangeSink *sink)
{
        _cleanup_(exchange_clear) Exchange e = { .fd = fd, .body_fd = body_fd, .sink = sink };
        int r;

        assert(fd >= 0);
        assert(sink && sink->on_output && sink->on_error);

        r = begin_request(&e, params);
        while (r >= 0 && !e.in_ended) {
                bool sending = e.sent < e.n_out || !e.out_ended;
                struct pollfd p = { .fd = fd, .events = (short) (POLLIN | (sending ? POLLOUT : 0)) };

                if (now_monotonic() >= deadline)
                        r = -ETIMEDOUT;
                else if (poll(&p, 1, poll_timeout(deadline)) < 0)
                        r = errno == EINTR ? 0 : -errno;
                if (r < 0)
                        break;
                if (p.revents & POLLOUT)
                        r = send_some(&e);
                if (r >= 0 && (p.revents & ~POLLOUT))
                        r = receive_some(&e);
        }
        return r < 0 ? r : (int) e.status;
}
