/* SPDX-License-Identifier: MIT */

/*
 * A FastCGI load generator for the benchmarks. Prints one line of JSON: how many requests were answered and
 * how many failed, seconds, how many clients had no answer at all while requests were being sent
 * ("starved"), how many kept connections the server closed between two requests ("closed"), and percentiles
 * of the latency in microseconds, in which a request that nobody answered counts as long as it was waited
 * for.
 *
 *   load [OPTION…] ADDRESS SCRIPT REQUESTS|TIME CLIENTS
 *
 * ADDRESS is a path or HOST:PORT, TIME "3s". A closed loop by default: each client sends its next request
 * when it has the whole answer to its last. With as many requests as clients it is a burst.
 *
 * With --rate=N it is an open loop: N requests a second fall due, whether or not the last was answered; the
 * client that was idle longest sends the next; when none is idle, it is sent late. Its latency is counted
 * from when it was due, so a server that stalls is not spared the requests that would have come meanwhile.
 *
 *   --keep          a client keeps its connection for its next request
 *   --uri=/PATH     what REQUEST_URI says; "/script.php" by default
 *   --patience=TIME without any answer, after which what is missing counts as failed; 30 s by default
 *   --hold          keep all connections open, after the line of JSON, until standard input ends
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"
#include "fastcgi/encoder.h"

#define CLIENTS_MAX 20000
#define REQUESTS_MAX 10000000
#define RATE_MAX 1000000

typedef struct Client {
        int fd;
        usec_t due; /* when its request was to be sent */
        bool waits; /* for an answer */
        bool ever_sent, ever_answered;
        uint8_t header[FCGI_HEADER_SIZE];
        size_t n_header;
        size_t skip;     /* bytes of content and padding of the current record */
        bool end_record; /* the current record is END_REQUEST */
} Client;

static struct {
        union {
                struct sockaddr any;
                struct sockaddr_un un;
                struct sockaddr_in in;
        } address;
        socklen_t address_size;
        uint8_t *request;
        size_t request_size;
        const char *uri;
        bool keep, hold;
        uint64_t rate; /* requests a second; 0 for a closed loop */
        usec_t patience;
        usec_t begin, end; /* nothing is sent after the end; USEC_INFINITY for none */
        uint64_t to_send, sent, n_latencies, answered, starved, closed;
        uint32_t *latencies;
        Client clients[CLIENTS_MAX];
        uint64_t n_clients;
        Client *idle[CLIENTS_MAX]; /* a ring: who was idle longest comes first */
        size_t first_idle, n_idle;
        bool sent_all;
        int epoll_fd;
} load = { .uri = "/script.php", .patience = 30 * USEC_PER_SEC };

static int make_request(const char *script)
{
        static const char *const fixed[][2] = {
                { "GATEWAY_INTERFACE", "CGI/1.1" },
                { "SERVER_SOFTWARE", "nginx/1.22.1" },
                { "QUERY_STRING", "" },
                { "REQUEST_METHOD", "GET" },
                { "CONTENT_TYPE", "" },
                { "CONTENT_LENGTH", "" },
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
        const char *const own[][2] = {
                { "SCRIPT_FILENAME", script },
                { "SCRIPT_NAME", streq(load.uri, "/") ? "/index.php" : load.uri },
                { "REQUEST_URI", load.uri },
                { "DOCUMENT_URI", load.uri },
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
        for (size_t i = 0; i < ELEMENTSOF(own); i++)
                (void) params_set(params, own[i][0], strlen(own[i][0]), own[i][1], strlen(own[i][1]));

        r = fcgi_encode_request_head(1, FCGI_RESPONDER, load.keep, params, &encoded, &size);
        if (r < 0)
                return r;
        load.request_size = size + FCGI_HEADER_SIZE;
        load.request = malloc(load.request_size);
        if (!load.request)
                return -ENOMEM;
        memcpy(load.request, encoded, size);
        fcgi_encode_header(load.request + size, FCGI_STDIN, 1, 0, 0);
        free(encoded);
        return 0;
}

static void push_idle(Client *c)
{
        load.idle[(load.first_idle + load.n_idle++) % load.n_clients] = c;
}

static Client *pop_idle(void)
{
        Client *c = load.idle[load.first_idle];

        load.first_idle = (load.first_idle + 1) % load.n_clients;
        load.n_idle--;
        return c;
}

/* Answered or failed. */
static void finish_request(Client *c)
{
        usec_t latency = now_monotonic() - c->due;

        load.latencies[load.n_latencies++] = (uint32_t) MIN(latency, UINT32_MAX);
        c->waits = false;
        push_idle(c);
}

static int connect_client(Client *c)
{
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };
        struct timeval patience = { .tv_sec = (time_t) (load.patience / USEC_PER_SEC) };

        c->fd = socket(load.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd < 0)
                return -errno;
        /* This bounds connect(2), too. */
        if (setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
            connect(c->fd, &load.address.any, load.address_size) < 0)
                return -errno;
        if (fd_nonblock(c->fd, true) < 0 || epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, c->fd, &event) < 0)
                return -errno;
        return 0;
}

static void send_request(Client *c, usec_t due)
{
        c->due = due;
        c->n_header = c->skip = 0;
        c->end_record = false;
        c->waits = c->ever_sent = true;
        load.sent++;

        if ((c->fd < 0 && connect_client(c) < 0) ||
            send(c->fd, load.request, load.request_size, MSG_NOSIGNAL) != (ssize_t) load.request_size) {
                c->fd = fd_close(c->fd);
                finish_request(c);
        }
}

/* When the next request is due; in a closed loop, as soon as a client is idle. */
static usec_t next_due(usec_t now)
{
        return load.rate > 0 ? load.begin + load.sent * USEC_PER_SEC / load.rate : now;
}

static void finish_sending(void)
{
        if (load.sent_all)
                return;
        load.sent_all = true;
        for (size_t i = 0; i < load.n_clients; i++)
                load.starved += load.clients[i].ever_sent && !load.clients[i].ever_answered;
}

/* Sends what is due. Returns the time until the next is, or USEC_INFINITY if only an answer changes that. */
static usec_t send_due(void)
{
        usec_t now = now_monotonic(), due;

        for (; load.n_idle > 0 && load.sent < load.to_send && now < load.end; now = now_monotonic()) {
                due = next_due(now);
                if (due > now)
                        return due - now;
                send_request(pop_idle(), due);
        }
        if (load.sent < load.to_send && now < load.end)
                return USEC_INFINITY;

        finish_sending();
        while (!load.hold && load.n_idle > 0) {
                Client *c = pop_idle();

                c->fd = fd_close(c->fd);
        }
        return USEC_INFINITY;
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
        if (!c->waits) { /* a kept connection that the server closed */
                c->fd = fd_close(c->fd);
                load.closed++;
                return;
        }
        if (n > 0 && !parse_answer(c, buffer, (size_t) n))
                return;

        if (n > 0) {
                load.answered++;
                c->ever_answered = true;
        }
        if (n <= 0 || !load.keep)
                c->fd = fd_close(c->fd);
        finish_request(c);
}

/* False when nothing was answered for too long. */
static bool wait_for_answers(usec_t timeout)
{
        struct epoll_event events[256];
        bool last = timeout == USEC_INFINITY;
        struct timespec ts;
        int n;

        if (last)
                timeout = load.patience;
        ts = (struct timespec) { .tv_sec = (time_t) (timeout / USEC_PER_SEC),
                                 .tv_nsec = (long) (timeout % USEC_PER_SEC * 1000) };
        n = epoll_pwait2(load.epoll_fd, events, ELEMENTSOF(events), &ts, NULL);
        for (int i = 0; i < n; i++)
                receive(events[i].data.ptr);
        return n > 0 || !last;
}

static void run(void)
{
        load.begin = now_monotonic();
        if (load.end != USEC_INFINITY)
                load.end += load.begin;
        for (size_t i = 0; i < load.n_clients; i++) {
                load.clients[i].fd = -EBADF;
                push_idle(&load.clients[i]);
        }
        for (;;) {
                usec_t wait = send_due();

                if (load.sent_all && load.n_latencies >= load.sent)
                        break;
                if (!wait_for_answers(wait))
                        break;
        }
        finish_sending();
        for (size_t i = 0; i < load.n_clients; i++)
                if (load.clients[i].waits)
                        finish_request(&load.clients[i]);
        load.end = now_monotonic();
}

static int compare_u32(const void *a, const void *b)
{
        uint32_t x = *(const uint32_t *) a, y = *(const uint32_t *) b;

        return (x > y) - (x < y);
}

static unsigned percentile(double p)
{
        return load.n_latencies > 0 ? load.latencies[(uint64_t) ((double) (load.n_latencies - 1) * p)] : 0;
}

static void print_results(void)
{
        uint64_t wanted = load.rate > 0 ? load.to_send : load.sent;

        qsort(load.latencies, load.n_latencies, sizeof *load.latencies, compare_u32);
        printf("{\"answered\": %llu, \"failed\": %llu, \"starved\": %llu, \"closed\": %llu, \"seconds\": "
               "%.6f, "
               "\"p50\": %u, \"p99\": %u, \"p99.9\": %u, \"max\": %u}\n",
               (unsigned long long) load.answered, (unsigned long long) (wanted - load.answered),
               (unsigned long long) load.starved, (unsigned long long) load.closed,
               (double) (load.end - load.begin) / USEC_PER_SEC, percentile(0.5), percentile(0.99),
               percentile(0.999), percentile(1));
        fflush(stdout);
}

static int parse_address(const char *s)
{
        char host[INET_ADDRSTRLEN];
        const char *colon = strrchr(s, ':');
        uint64_t port;

        if (s[0] == '/') {
                if (strlen(s) >= sizeof load.address.un.sun_path)
                        return -ENAMETOOLONG;
                load.address.un.sun_family = AF_UNIX;
                strcpy(load.address.un.sun_path, s);
                load.address_size = sizeof load.address.un;
                return 0;
        }
        if (!colon || (size_t) (colon - s) >= sizeof host || parse_u64(colon + 1, &port) < 0 ||
            port > UINT16_MAX)
                return -EINVAL;
        memcpy(host, s, (size_t) (colon - s));
        host[colon - s] = '\0';
        load.address.in = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons((uint16_t) port) };
        load.address_size = sizeof load.address.in;
        return inet_pton(AF_INET, host, &load.address.in.sin_addr) == 1 ? 0 : -EINVAL;
}

/* How many, or how long: in an open loop, that is how many as well. */
static int parse_requests(const char *s)
{
        usec_t time;

        load.to_send = REQUESTS_MAX;
        load.end = USEC_INFINITY;
        if (parse_u64(s, &load.to_send) < 0) {
                if (parse_usec(s, &time) < 0)
                        return -EINVAL;
                if (load.rate > 0)
                        load.to_send = load.rate * time / USEC_PER_SEC;
                else
                        load.end = time; /* from when it begins */
        }
        return load.to_send <= REQUESTS_MAX ? 0 : -ERANGE;
}

static int parse_arguments(int argc, char **argv)
{
        static const struct option options[] = {
                { "keep", no_argument, NULL, 'k' },     { "hold", no_argument, NULL, 'h' },
                { "rate", required_argument, NULL, 'r' }, { "uri", required_argument, NULL, 'u' },
                { "patience", required_argument, NULL, 'p' }, {},
        };
        int c;

        while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
                if (c == 'k')
                        load.keep = true;
                else if (c == 'h')
                        load.hold = true;
                else if (c == 'u')
                        load.uri = optarg;
                else if (c == 'r' && parse_u64(optarg, &load.rate) >= 0 && load.rate <= RATE_MAX)
                        continue;
                else if (c != 'p' || parse_usec(optarg, &load.patience) < 0)
                        return -EINVAL;
        }
        argv += optind;
        if (argc - optind != 4 || parse_address(argv[0]) < 0 || parse_requests(argv[2]) < 0 ||
            parse_u64(argv[3], &load.n_clients) < 0 || load.n_clients == 0 || load.n_clients > CLIENTS_MAX)
                return -EINVAL;
        return make_request(argv[1]);
}

int main(int argc, char **argv)
{
        uint64_t files_before;
        char byte;

        if (parse_arguments(argc, argv) < 0) {
                fprintf(stderr, "usage: load [OPTION…] ADDRESS SCRIPT REQUESTS|TIME CLIENTS\n");
                return 2;
        }
        load.latencies = calloc(load.to_send + 1, sizeof *load.latencies);
        load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (!load.latencies || load.epoll_fd < 0)
                return 1;
        (void) prctl(PR_SET_TIMERSLACK, 1UL); /* nanosecond: what is due is sent then */
        (void) fd_raise_limit(&files_before);

        run();
        print_results();
        while (load.hold && read(STDIN_FILENO, &byte, 1) > 0)
                ;
        return load.answered == load.sent ? 0 : 1;
}
