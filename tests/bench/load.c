/* SPDX-License-Identifier: MIT */

/*
 * A FastCGI load generator: a closed loop of clients, each of which sends its next request when it has the
 * whole answer to its last. Prints one line of JSON: answered, failed, seconds, and latency percentiles in
 * microseconds.
 *
 *   load SOCKET SCRIPT REQUESTS CLIENTS [keep]
 *
 * REQUESTS may be a time instead ("3s"): until then each client goes on. With as many requests as clients it
 * is a burst: all connect at once, and "seconds" is when the last was answered.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "fastcgi/encoder.h"

#define CLIENTS_MAX 20000
#define REQUESTS_MAX 10000000

typedef struct Client {
        int fd;
        usec_t sent;
        uint8_t header[FCGI_HEADER_SIZE];
        size_t n_header;
        size_t skip;     /* bytes of content and padding of the current record */
        bool end_record; /* the current record is END_REQUEST */
} Client;

static struct {
        struct sockaddr_un address;
        uint8_t *request;
        size_t request_size;
        bool keep;
        uint64_t to_send, sent, answered, failed;
        usec_t deadline; /* after which nothing is sent; USEC_INFINITY for none */
        uint32_t *latencies;
        int epoll_fd;
} load;

static int make_request(const char *script)
{
        static const char *const fixed[][2] = {
                { "GATEWAY_INTERFACE", "CGI/1.1" },
                { "SERVER_SOFTWARE", "nginx/1.22.1" },
                { "QUERY_STRING", "" },
                { "REQUEST_METHOD", "GET" },
                { "CONTENT_TYPE", "" },
                { "CONTENT_LENGTH", "" },
                { "SCRIPT_NAME", "/hello.php" },
                { "REQUEST_URI", "/hello.php" },
                { "DOCUMENT_URI", "/hello.php" },
                { "SERVER_PROTOCOL", "HTTP/1.1" },
                { "REQUEST_SCHEME", "http" },
                { "REMOTE_ADDR", "127.0.0.1" },
                { "REMOTE_PORT", "40000" },
                { "SERVER_ADDR", "127.0.0.1" },
                { "SERVER_PORT", "80" },
                { "SERVER_NAME", "localhost" },
                { "REDIRECT_STATUS", "200" },
                { "HTTP_HOST", "localhost" },
                { "HTTP_USER_AGENT", "bench" },
                { "HTTP_ACCEPT", "*/*" },
        };
        _cleanup_(params_freep) Params *params = NULL;
        uint8_t *encoded;
        size_t size;
        int r;

        r = params_new(&params);
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(fixed); i++)
                (void) params_set(params, fixed[i][0], strlen(fixed[i][0]), fixed[i][1],
                                  strlen(fixed[i][1]));
        (void) params_set(params, "SCRIPT_FILENAME", strlen("SCRIPT_FILENAME"), script, strlen(script));

        r = fcgi_encode_params(1, params, &encoded, &size);
        if (r < 0)
                return r;
        load.request_size = FCGI_BEGIN_REQUEST_SIZE + size + FCGI_HEADER_SIZE;
        load.request = malloc(load.request_size);
        if (!load.request)
                return -ENOMEM;
        fcgi_encode_begin_request(load.request, 1, FCGI_RESPONDER, load.keep);
        memcpy(load.request + FCGI_BEGIN_REQUEST_SIZE, encoded, size);
        fcgi_encode_header(load.request + FCGI_BEGIN_REQUEST_SIZE + size, FCGI_STDIN, 1, 0, 0);
        free(encoded);
        return 0;
}

/* Connects if need be and sends one request. False when it failed, which is counted. */
static bool send_request(Client *c)
{
        c->sent = now_monotonic();
        c->n_header = c->skip = 0;
        c->end_record = false;

        if (c->fd < 0) {
                struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

                c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                if (c->fd < 0 ||
                    connect(c->fd, (struct sockaddr *) &load.address, sizeof load.address) < 0 ||
                    fd_nonblock(c->fd, true) < 0 ||
                    epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0) {
                        c->fd = fd_close(c->fd);
                        load.failed++;
                        return false;
                }
        }
        if (send(c->fd, load.request, load.request_size, MSG_NOSIGNAL) != (ssize_t) load.request_size) {
                c->fd = fd_close(c->fd);
                load.failed++;
                return false;
        }
        return true;
}

static void next_request(Client *c)
{
        while (load.sent < load.to_send && now_monotonic() < load.deadline) {
                load.sent++;
                if (send_request(c))
                        return;
        }
        c->fd = fd_close(c->fd);
}

/* True when END_REQUEST is complete. */
static bool parse_answer(Client *c, const uint8_t *p, size_t n)
{
        while (n > 0) {
                size_t k;

                if (c->skip > 0) {
                        k = MIN(n, c->skip);
                        c->skip -= k;
                } else {
                        k = MIN(n, FCGI_HEADER_SIZE - c->n_header);
                        memcpy(c->header + c->n_header, p, k);
                        c->n_header += k;
                        if (c->n_header == FCGI_HEADER_SIZE) {
                                FcgiHeader h = fcgi_decode_header(c->header);

                                c->n_header = 0;
                                c->skip = (size_t) h.content_size + h.padding_size;
                                c->end_record = h.type == FCGI_END_REQUEST;
                        }
                }
                p += k;
                n -= k;
                if (c->end_record && c->skip == 0)
                        return true;
        }
        return false;
}

static void receive(Client *c)
{
        static uint8_t buffer[1 << 18];
        ssize_t n;

        n = recv(c->fd, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EAGAIN)
                return;
        if (n <= 0)
                load.failed++;
        else if (!parse_answer(c, buffer, (size_t) n))
                return;
        else
                load.latencies[load.answered++] = (uint32_t) (now_monotonic() - c->sent);

        if (n <= 0 || !load.keep)
                c->fd = fd_close(c->fd);
        next_request(c);
}

static int compare_u32(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

static unsigned percentile(double p)
{
        return load.answered > 0 ? load.latencies[(uint64_t) ((double) (load.answered - 1) * p)] : 0;
}

/* How many, or how long. */
static bool parse_requests(const char *s)
{
        usec_t time;

        load.to_send = REQUESTS_MAX;
        load.deadline = USEC_INFINITY;
        if (parse_u64(s, &load.to_send) >= 0)
                return load.to_send <= REQUESTS_MAX;
        if (parse_usec(s, &time) < 0)
                return false;
        load.deadline = usec_add(now_monotonic(), time);
        return true;
}

int main(int argc, char **argv)
{
        static Client clients[CLIENTS_MAX];
        uint64_t n_clients;
        usec_t start, end;

        if (argc < 5 || !parse_requests(argv[3]) || parse_u64(argv[4], &n_clients) < 0 ||
            n_clients > CLIENTS_MAX || strlen(argv[1]) >= sizeof load.address.sun_path) {
                fprintf(stderr, "usage: load SOCKET SCRIPT REQUESTS|TIME CLIENTS [keep]\n");
                return 2;
        }
        load.address.sun_family = AF_UNIX;
        strcpy(load.address.sun_path, argv[1]);
        load.keep = argc > 5 && streq(argv[5], "keep");
        load.latencies = calloc(load.to_send + 1, sizeof *load.latencies);
        load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (make_request(argv[2]) < 0 || !load.latencies || load.epoll_fd < 0)
                return 1;

        start = now_monotonic();
        for (size_t i = 0; i < n_clients; i++) {
                clients[i].fd = -EBADF;
                next_request(&clients[i]);
        }
        while (load.answered + load.failed < load.sent) {
                struct epoll_event events[256];
                int n = epoll_wait(load.epoll_fd, events, ELEMENTSOF(events), 30000);

                if (n <= 0)
                        break; /* half a minute without an answer: what is missing counts as failed */
                for (int i = 0; i < n; i++)
                        receive(events[i].data.ptr);
        }
        end = now_monotonic();

        qsort(load.latencies, load.answered, sizeof *load.latencies, compare_u32);
        printf("{\"answered\": %llu, \"failed\": %llu, \"seconds\": %.6f, \"p50\": %u, \"p99\": %u, "
               "\"max\": %u}\n",
               (unsigned long long) load.answered, (unsigned long long) (load.sent - load.answered),
               (double) (end - start) / 1e6, percentile(0.5), percentile(0.99), percentile(1));
        return load.answered == load.sent ? 0 : 1;
}
