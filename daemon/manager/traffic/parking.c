/* SPDX-License-Identifier: MIT */

/*
 * Parked connections: see parking.h. A connection is in one of three places: in the epoll set, waiting for
 * its client; resting, about to get there at the next turn of the heads' timer; or on the ready list, waiting
 * for room in the hand-off queue, where no time runs out for it. Nothing here reads a byte of it.
 */

#include "manager/traffic/parking.h"

#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"

#define PARKING_EVENTS_MAX 64

/* What a memfd takes is counted in these. */
#define HEAD_PAGE ((size_t) 4096)

/* After the kernel had no room for a descriptor on its way, of which no event tells the end. */
#define PARKING_RETRY_INTERVAL (10 * USEC_PER_MSEC)

/* How often connections that were closed for want of something are worth a line. */
#define PARKING_LOG_INTERVAL (60 * USEC_PER_SEC)

/* One connection, found by its descriptor's number. */
typedef struct Parked {
        Origin origin;
        uint32_t head_size; /* of origin.head, in whole pages; 0 without one */
        int next;           /* on the ready list; -1 at its end */
        bool here;          /* the descriptor is one of ours */
        bool ready, resting;
} Parked;

struct Parking {
        int manager_fd; /* our end of the pair */
        int worker_fd;  /* kept so that the pair outlives every worker, and to pass it on */
        int epoll_fd;
        sd_event_source *handoff_source;
        sd_event_source *epoll_source;
        sd_event_source *retry_source;
        sd_event_source *heads_source; /* one timer for all heads */
        usec_t heads_due;              /* when it elapses; USEC_INFINITY while it is off */

        Parked *parked; /* index: descriptor */
        size_t n_parked_slots;
        size_t count, max;
        size_t n_heads, heads_size;
        size_t descriptors_max; /* for connections and heads */
        usec_t refused_logged; /* CLOCK_MONOTONIC; 0 for never */
        int ready_first, ready_last;
        size_t n_ready; /* on that list */

        void (*on_change)(void *userdata);
        void *userdata;
        ParkingOnStatus *on_status;
        void *status_userdata;
};

static void parking_drop(Parking *p, int fd)
{
        Parked *k = &p->parked[fd];

        if (k->origin.head >= 0) {
                p->n_heads--;
                p->heads_size -= k->head_size;
        }
        origin_close(&k->origin);
        fd_close(fd);
        k->here = false;
        p->count--;
}

bool parking_is_full(const Parking *p)
{
        return p->count >= p->max || p->count + p->n_heads >= p->descriptors_max;
}

static int parking_reserve(Parking *p, int fd)
{
        size_t n = p->n_parked_slots;
        Parked *bigger;

        if ((size_t) fd < n)
                return 0;

        n = MAX((size_t) fd + 1, n * 2);
        bigger = reallocarray(p->parked, n, sizeof *bigger);
        if (!bigger)
                return -ENOMEM;
        memset(bigger + p->n_parked_slots, 0, (n - p->n_parked_slots) * sizeof *bigger);
        p->parked = bigger;
        p->n_parked_slots = n;
        return 0;
}

/* Not EPOLLOUT: the socket is writable, it is the descriptors in flight that are too many (unix(7)). */
static int retry_later(Parking *p)
{
        int r;

        r = sd_event_source_set_io_events(p->handoff_source, EPOLLIN);
        if (r < 0)
                return r;
        r = sd_event_source_set_time_relative(p->retry_source, PARKING_RETRY_INTERVAL);
        return r < 0 ? r : sd_event_source_set_enabled(p->retry_source, SD_EVENT_ONESHOT);
}

/* Sends ready connections to the workers until the queue is full; EPOLLOUT is asked for only while it is. */
static int parking_flush(Parking *p)
{
        while (p->ready_first >= 0) {
                int fd = p->ready_first, r;
                const Handoff handoff = { .kind = HANDOFF_SERVE, .fd = fd, .origin = p->parked[fd].origin };

                r = handoff_send(p->manager_fd, &handoff);
                if (r == -EAGAIN)
                        return sd_event_source_set_io_events(p->handoff_source, EPOLLIN | EPOLLOUT);
                if (r == -ETOOMANYREFS || r == -ENOBUFS || r == -ENOMEM)
                        return retry_later(p);
                if (r < 0)
                        (void) log_error_errno(r,
                                               "Failed to hand a connection to the workers, closing it: %m");

                p->ready_first = p->parked[fd].next;
                if (p->ready_first < 0)
                        p->ready_last = -1;
                p->n_ready--;
                parking_drop(p, fd);
        }
        return sd_event_source_set_io_events(p->handoff_source, EPOLLIN);
}

static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        (void) parking_flush(userdata);
        return 0;
}

static void parking_make_ready(Parking *p, int fd)
{
        p->parked[fd].ready = true;
        p->parked[fd].next = -1;
        if (p->ready_last >= 0)
                p->parked[p->ready_last].next = fd;
        else
                p->ready_first = fd;
        p->ready_last = fd;
        p->n_ready++;
}

/* Takes some of those that said something, or went away, out of the epoll set. How many there were. */
static int collect(Parking *p)
{
        struct epoll_event events[PARKING_EVENTS_MAX];
        int n;

        n = epoll_wait(p->epoll_fd, events, PARKING_EVENTS_MAX, 0);
        if (n < 0) {
                (void) log_error_errno(errno, "Failed to watch parked connections, trying again: %m");
                return 0;
        }

        for (int i = 0; i < n; i++) {
                int fd = events[i].data.fd;
                ssize_t k;
                char c;

                k = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
                if (k < 0 && (errno == EAGAIN || errno == EINTR) &&
                    !(events[i].events & (EPOLLERR | EPOLLHUP)))
                        continue;

                (void) epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
                if (k > 0)
                        parking_make_ready(p, fd);
                else
                        parking_drop(p, fd);
        }
        return n;
}

/* All of them; no more turns than that takes. */
static void collect_all(Parking *p)
{
        for (size_t turns = p->count / PARKING_EVENTS_MAX + 1; turns > 0; turns--)
                if (collect(p) == 0)
                        return;
}

static int on_parked(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
        Parking *p = userdata;

        (void) collect(p);
        p->on_change(p->userdata);
        (void) parking_flush(p);
        return 0;
}

static int watch(Parking *p, int fd)
{
        struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.fd = fd };

        return epoll_ctl(p->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* ---- Heads ---- */

static void heads_look_at(Parking *p, usec_t when)
{
        if (when >= p->heads_due)
                return;
        p->heads_due = when;
        (void) sd_event_source_set_time(p->heads_source, when);
        (void) sd_event_source_set_enabled(p->heads_source, SD_EVENT_ONESHOT);
}

/* Something was refused to us that concerns a connection: the level to say so at. */
static int refused_level(Parking *p)
{
        return log_is_due(&p->refused_logged, PARKING_LOG_INTERVAL) ? LOG_WARNING : LOG_DEBUG;
}

/*
 * One head's turn. When its next one is, USEC_INFINITY for never. One that cannot be watched rests until
 * then: only its deadline closes it.
 */
static usec_t check_head(Parking *p, int fd, usec_t now)
{
        Parked *k = &p->parked[fd];
        int r;

        if (!k->here || k->ready || k->origin.head < 0)
                return USEC_INFINITY;
        if (now >= k->origin.deadline) {
                log_debug("A client sent part of a request only, within request.header_timeout.");
                (void) epoll_ctl(p->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
                parking_drop(p, fd);
                return USEC_INFINITY;
        }

        r = k->resting ? watch(p, fd) : 0;
        if (r < 0) {
                (void) log_full(refused_level(p), r,
                                "Failed to watch a client that has sent part of a request, "
                                "trying again: %m");
                return MIN(now + PARKING_HEAD_INTERVAL, k->origin.deadline);
        }
        k->resting = false;
        return k->origin.deadline;
}

static int on_heads(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        usec_t now = now_monotonic(), next = USEC_INFINITY;
        Parking *p = userdata;

        for (size_t i = 0; i < p->n_parked_slots; i++)
                next = MIN(next, check_head(p, (int) i, now));
        p->heads_due = USEC_INFINITY;
        if (next < USEC_INFINITY)
                heads_look_at(p, MAX(next, now + PARKING_HEAD_INTERVAL));
        p->on_change(p->userdata);
        return 0;
}

/* What a head takes, if there is room for it. 0 or -errno. */
static int measure_head(const Parking *p, int head, uint32_t *ret)
{
        struct stat st;
        size_t size;

        if (fstat(head, &st) < 0)
                return -errno;
        if (st.st_size < 0 || st.st_size > (off_t) HANDOFF_HEAD_MAX)
                return -EFBIG;
        size = ((size_t) st.st_size + HEAD_PAGE - 1) & ~(HEAD_PAGE - 1);
        if (size > PARKING_HEADS_SIZE_MAX - p->heads_size)
                return -ENOBUFS;
        *ret = (uint32_t) size;
        return 0;
}

/* Takes both descriptors, but only where it succeeds. */
static int parking_add(Parking *p, const Origin *origin, int fd)
{
        bool rest = origin->head >= 0 && origin->moves > PARKING_HEAD_MOVES;
        uint32_t head_size = 0;
        int r;

        if (parking_is_full(p))
                return -EMFILE;
        r = origin->head >= 0 ? measure_head(p, origin->head, &head_size) : 0;
        if (r < 0)
                return r;
        r = parking_reserve(p, fd);
        if (r < 0)
                return r;
        r = rest ? 0 : watch(p, fd);
        if (r < 0)
                return r;
        p->parked[fd] = (Parked) {
                .origin = *origin,
                .head_size = head_size,
                .next = -1,
                .here = true,
                .resting = rest,
        };
        p->count++;
        if (origin->head >= 0) {
                p->n_heads++;
                p->heads_size += head_size;
                heads_look_at(p, rest ? now_monotonic() + PARKING_HEAD_INTERVAL : origin->deadline);
        }
        return 0;
}

static void take_question(Parking *p, Handoff *handoff)
{
        if (p->on_status)
                p->on_status(&handoff->question, handoff->fd, p->status_userdata);
        handoff_close(handoff);
}

/* Workers hand connections in, or there is room again to hand some out. */
static int on_handoff(sd_event_source *s _unused_, int fd, uint32_t revents, void *userdata)
{
        Parking *p = userdata;

        if (revents & EPOLLOUT)
                (void) parking_flush(p);

        for (;;) {
                Handoff handoff;
                int r;

                r = handoff_receive(fd, HANDOFF_MANAGER, &handoff);
                if (r == -EAGAIN || r == 0)
                        return 0;
                if (r < 0) {
                        (void) log_full(refused_level(p), r,
                                        "Failed to take what a worker handed in, ignoring it: %m");
                        return 0; /* level-triggered: what else there is comes with the next event */
                }

                if (handoff.kind == HANDOFF_QUESTION) {
                        take_question(p, &handoff);
                        if (p->on_status)
                                return 0; /* a page costs: other sources have their turn */
                        continue;
                }
                r = parking_add(p, &handoff.origin, handoff.fd);
                if (r < 0) {
                        (void) log_full(refused_level(p), r,
                                        "Failed to park a connection beside %zu others, closing it: %m",
                                        p->count);
                        handoff_close(&handoff);
                }
        }
}

/* The others are for workers, templates and clients of the control socket. */
static size_t descriptors_max(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return PARKING_CONNECTIONS_MAX;
        return (size_t) limit.rlim_cur - MIN((size_t) limit.rlim_cur / 2, (size_t) PARKING_DESCRIPTORS_LEFT);
}

static int add_timers(Parking *p, sd_event *event)
{
        int r;

        r = sd_event_add_time(event, &p->retry_source, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC,
                              on_retry, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(p->retry_source, SD_EVENT_OFF);
        (void) sd_event_source_set_description(p->retry_source, "handoff-retry");

        r = sd_event_add_time(event, &p->heads_source, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC,
                              on_heads, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(p->heads_source, SD_EVENT_OFF);
        return sd_event_source_set_description(p->heads_source, "heads");
}

int parking_new(sd_event *event, void (*on_change)(void *userdata), void *userdata, Parking **ret)
{
        _cleanup_(parking_freep) Parking *p = NULL;
        int pair[2], r;

        p = malloc(sizeof *p);
        if (!p)
                return -ENOMEM;
        *p = (Parking) {
                .manager_fd = -EBADF,
                .worker_fd = -EBADF,
                .epoll_fd = -EBADF,
                .heads_due = USEC_INFINITY,
                .max = PARKING_CONNECTIONS_MAX,
                .descriptors_max = descriptors_max(),
                .ready_first = -1,
                .ready_last = -1,
                .on_change = on_change,
                .userdata = userdata,
        };

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        p->manager_fd = pair[0];
        p->worker_fd = pair[1];

        p->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (p->epoll_fd < 0)
                return -errno;

        r = sd_event_add_io(event, &p->handoff_source, p->manager_fd, EPOLLIN, on_handoff, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(p->handoff_source, "handoff");

        r = sd_event_add_io(event, &p->epoll_source, p->epoll_fd, EPOLLIN, on_parked, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(p->epoll_source, "parked-connections");

        r = add_timers(p, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(p);
        return 0;
}

void parking_set_on_status(Parking *p, ParkingOnStatus *on_status, void *userdata)
{
        p->on_status = on_status;
        p->status_userdata = userdata;
}

void parking_free(Parking *p)
{
        if (!p)
                return;
        sd_event_source_disable_unref(p->handoff_source);
        sd_event_source_disable_unref(p->epoll_source);
        sd_event_source_disable_unref(p->retry_source);
        sd_event_source_disable_unref(p->heads_source);
        for (size_t fd = 0; fd < p->n_parked_slots; fd++)
                if (p->parked[fd].here)
                        parking_drop(p, (int) fd);
        fd_close(p->epoll_fd);
        fd_close(p->manager_fd);
        fd_close(p->worker_fd);
        free(p->parked);
        free(p);
}

int parking_worker_fd(const Parking *p)
{
        return p->worker_fd;
}

int parking_adopt(Parking *p, Protocol protocol, int connection)
{
        const Origin origin = {
                .protocol = protocol,
                .unix_socket = sd_is_socket(connection, AF_UNIX, SOCK_STREAM, 0) > 0,
                .head = -EBADF,
        };
        int r;

        r = parking_add(p, &origin, connection);
        if (r < 0)
                fd_close(connection);
        return r;
}

void parking_rouse(Parking *p)
{
        Handoff handoff;

        if (parking_is_full(p) || handoff_receive(p->worker_fd, HANDOFF_WORKER, &handoff) <= 0)
                return;
        if (parking_add(p, &handoff.origin, handoff.fd) < 0)
                handoff_close(&handoff);
}

/* Not where part of a request was read: what follows would be taken for the start of one. */
static void store(const Origin *origin, int connection, size_t *left)
{
        char state[64];

        if (origin->head >= 0 || *left == 0)
                return;
        (*left)--;
        (void) snprintf(state, sizeof state, "FDSTORE=1\nFDNAME=%s", protocol_stored_name(origin->protocol));
        (void) sd_pid_notify_with_fds(0, false, state, &connection, 1);
}

static size_t store_max(uint64_t descriptor_limit)
{
        uint64_t half = descriptor_limit / 2;

        return (size_t) (half > PARKING_STORE_SPARE ? MIN(half - PARKING_STORE_SPARE, PARKING_STORE_MAX) : 0);
}

void parking_drain(Parking *p)
{
        (void) on_handoff(NULL, p->manager_fd, EPOLLIN, p); /* what workers handed in last */
        for (size_t i = 0; i < p->n_parked_slots; i++)
                if (p->parked[i].here && p->parked[i].resting && watch(p, (int) i) >= 0)
                        p->parked[i].resting = false;
        collect_all(p);
        (void) parking_flush(p);
        (void) sd_event_source_set_enabled(p->epoll_source, SD_EVENT_OFF);
}

void parking_store(Parking *p, uint64_t descriptor_limit)
{
        size_t left = store_max(descriptor_limit);
        Handoff handoff;

        p->on_status = NULL; /* questions find no answer any more */
        (void) on_handoff(NULL, p->manager_fd, EPOLLIN, p); /* what workers handed in last */
        while (handoff_receive(p->worker_fd, HANDOFF_WORKER, &handoff) > 0) {
                store(&handoff.origin, handoff.fd, &left);
                handoff_close(&handoff);
        }
        collect_all(p); /* what was said since the drain */
        for (int i = p->ready_first; i >= 0; i = p->parked[i].next)
                store(&p->parked[i].origin, i, &left);
        for (size_t i = 0; i < p->n_parked_slots; i++)
                if (p->parked[i].here && !p->parked[i].ready)
                        store(&p->parked[i].origin, (int) i, &left);
}

bool parking_waiting(const Parking *p)
{
        struct pollfd queue = { .fd = p->worker_fd, .events = POLLIN };

        return p->ready_first >= 0 || poll(&queue, 1, 0) > 0;
}

size_t parking_ready_count(const Parking *p)
{
        int bytes = 0;

        (void) ioctl(p->worker_fd, FIONREAD, &bytes); /* of all messages: unix(7) */
        return p->n_ready + (size_t) bytes / sizeof(HandoffMessage);
}

size_t parking_count(const Parking *p)
{
        return p->count;
}
