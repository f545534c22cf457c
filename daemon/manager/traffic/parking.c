/* SPDX-License-Identifier: MIT */

/*
 * Parked connections: see parking.h. It owns the hand-off pair and the epoll set: what comes from workers is
 * put in the lot and watched; what has something to say gets READY, and is sent to the workers as soon as
 * there is room in the queue. Nothing here reads a byte of a connection.
 */

#include "manager/traffic/parking.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "manager/traffic/heads.h"
#include "manager/traffic/lot.h"
#include "manager/traffic/store.h"
#include "manager/traffic/watch.h"

/* More messages than the hand-off socket holds: a worker that sends without end does not keep the pool. */
#define PARKING_LAST_MAX 4096

/* After the kernel had no room for a descriptor on its way, of which no event tells the end. */
#define PARKING_RETRY_INTERVAL (10 * USEC_PER_MSEC)

/* How often connections that were closed for want of something are worth a line. */
#define PARKING_LOG_INTERVAL (60 * USEC_PER_SEC)

struct Parking {
        int manager_fd; /* our end of the pair */
        int worker_fd;  /* kept so that the pair outlives every worker, and to pass it on */
        int epoll_fd;
        sd_event_source *handoff_source;
        sd_event_source *epoll_source;
        sd_event_source *retry_source;
        Heads *heads; /* of the parked connections */

        Lot lot;
        size_t max;             /* of connections */
        size_t descriptors_max; /* for connections and heads */
        usec_t refused_logged;  /* CLOCK_MONOTONIC; 0 for never */

        void (*on_change)(void *userdata);
        void *userdata;
        ParkingOnStatus *on_status;
        void *status_userdata;
};

static void parking_drop(Parking *p, int fd)
{
        const Parked *k = lot_get(&p->lot, fd);

        if (k->origin.head >= 0)
                heads_remove(p->heads, k->head_size);
        lot_drop(&p->lot, fd);
}

bool parking_is_full(const Parking *p)
{
        return p->lot.count >= p->max || p->lot.count + heads_count(p->heads) >= p->descriptors_max;
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
        while (p->lot.ready_first >= 0) {
                int fd = p->lot.ready_first, r;
                const Origin *origin = &lot_get(&p->lot, fd)->origin;

                r = handoff_send(p->manager_fd,
                                 &(Handoff) { .kind = HANDOFF_SERVE, .fd = fd, .origin = *origin });
                if (r == -EAGAIN)
                        return sd_event_source_set_io_events(p->handoff_source, EPOLLIN | EPOLLOUT);
                if (r == -ETOOMANYREFS || r == -ENOBUFS || r == -ENOMEM)
                        return retry_later(p);
                if (r < 0)
                        (void) log_error_errno(r,
                                               "Failed to hand a connection to the workers, closing it: %m");

                parking_drop(p, fd);
        }
        return sd_event_source_set_io_events(p->handoff_source, EPOLLIN);
}

static int on_retry(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata)
{
        (void) parking_flush(userdata);
        return 0;
}

/* A client has said something, or went away: it is not watched any more. */
static void on_news(int fd, ClientNews news, void *userdata)
{
        Parking *p = userdata;

        if (news == CLIENT_SPOKE)
                lot_set_place(&p->lot, fd, PLACE_READY);
        else
                parking_drop(p, fd);
}

static int on_parked(sd_event_source *s _unused_, int fd _unused_, uint32_t revents _unused_, void *userdata)
{
        Parking *p = userdata;

        (void) watch_collect(p->epoll_fd, on_news, p);
        p->on_change(p->userdata);
        (void) parking_flush(p);
        return 0;
}

/* Something was refused to us that concerns a connection: the level to say so at. */
static int refused_level(Parking *p)
{
        return log_is_due(&p->refused_logged, PARKING_LOG_INTERVAL) ? LOG_WARNING : LOG_DEBUG;
}

/* Closes the connection of a client that is too slow. All of those that are parked are closed here. */
static void close_late(Parking *p, int fd)
{
        log_debug("A parked client sent no more of a request within request.header_timeout, closing its "
                  "connection.");
        parking_drop(p, fd);
}

/* A head's time is over. What its client has sent by now is in time: the worker that reads it judges. */
static void end_head(Parking *p, int fd)
{
        ClientNews news = watch_look(fd, /* events= */ 0);

        watch_drop(p->epoll_fd, fd);
        if (news == CLIENT_SILENT)
                close_late(p, fd);
        else
                on_news(fd, news, p);
}

/* One head's turn, which ends its wait or takes it into the epoll set. When the next one is. */
static usec_t head_turn(Parking *p, int fd, usec_t now)
{
        const Parked *k = lot_get(&p->lot, fd);
        int r;

        switch (head_decide(&k->origin, k->place == PLACE_RESTING, now)) {
        case HEAD_OVER:
                end_head(p, fd);
                return USEC_INFINITY;
        case HEAD_WATCH:
                r = watch_add(p->epoll_fd, fd);
                if (r >= 0)
                        lot_set_place(&p->lot, fd, PLACE_WATCHED);
                else /* it rests on: only its deadline closes it */
                        (void) log_full(refused_level(p), r,
                                        "Failed to watch a client that has sent part of a request, "
                                        "trying again: %m");
                break;
        case HEAD_LEAVE:
                break;
        }
        return head_next_turn(&k->origin, k->place == PLACE_RESTING, now);
}

static usec_t on_heads_turn(usec_t now, void *userdata)
{
        usec_t next = USEC_INFINITY;
        Parking *p = userdata;

        FOREACH_PARKED(fd, &p->lot) {
                const Parked *k = lot_get(&p->lot, fd);

                if (k->origin.head >= 0 && k->place != PLACE_READY)
                        next = MIN(next, head_turn(p, fd, now));
        }
        p->on_change(p->userdata);
        (void) parking_flush(p);
        return next;
}

/* Takes both descriptors, but only where it succeeds. */
static int parking_add(Parking *p, const Origin *origin, int fd)
{
        bool rest = head_rests(origin);
        uint32_t head_size = 0;
        int r;

        if (parking_is_full(p))
                return -EMFILE;
        r = origin->head >= 0 ? heads_measure(p->heads, origin->head, &head_size) : 0;
        if (r < 0)
                return r;
        r = lot_reserve(&p->lot, fd);
        if (r < 0)
                return r;
        r = rest ? 0 : watch_add(p->epoll_fd, fd);
        if (r < 0)
                return r;
        lot_put(&p->lot, fd, origin, head_size, rest ? PLACE_RESTING : PLACE_WATCHED);
        if (origin->head >= 0)
                heads_add(p->heads, origin, head_size, now_monotonic());
        return 0;
}

static void take_question(Parking *p, Handoff *handoff)
{
        if (p->on_status)
                p->on_status(&handoff->question, handoff->fd, p->status_userdata);
        handoff_close(handoff);
}

/* What the next message of a worker's was. */
typedef enum Taken {
        TAKEN_NOTHING, /* there is none */
        TAKEN_CONNECTION,
        TAKEN_QUESTION,
        TAKEN_FAILED, /* it could not be received, which was logged */
} Taken;

/* Takes one, and does what it asks for. */
static Taken take_next(Parking *p)
{
        Handoff handoff;
        int r;

        r = handoff_receive(p->manager_fd, HANDOFF_MANAGER, &handoff);
        if (r == -EAGAIN || r == 0)
                return TAKEN_NOTHING;
        if (r < 0) {
                (void) log_full(refused_level(p), r,
                                "Failed to take what a worker handed in, ignoring it: %m");
                return TAKEN_FAILED;
        }

        if (handoff.kind == HANDOFF_QUESTION) {
                take_question(p, &handoff);
                return TAKEN_QUESTION;
        }
        r = parking_add(p, &handoff.origin, handoff.fd);
        if (r < 0) {
                (void) log_full(refused_level(p), r,
                                "Failed to park a connection beside %zu others, closing it: %m",
                                p->lot.count);
                handoff_close(&handoff);
        }
        return TAKEN_CONNECTION;
}

/*
 * Workers hand connections in, or there is room again to hand some out. What else there is behind a question
 * comes with the next event, since a page costs: other sources have their turn.
 */
static int on_handoff(sd_event_source *s _unused_, int fd _unused_, uint32_t revents, void *userdata)
{
        Parking *p = userdata;

        if (revents & EPOLLOUT)
                (void) parking_flush(p);
        while (take_next(p) == TAKEN_CONNECTION)
                ;
        return 0;
}

/* There is no next event: takes what workers have handed in last, whatever it is. */
static void take_last(Parking *p)
{
        for (size_t i = 0; i < PARKING_LAST_MAX && take_next(p) != TAKEN_NOTHING; i++)
                ;
}

/* The others are for workers, templates and clients of the control socket. */
static size_t descriptors_max(void)
{
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return PARKING_CONNECTIONS_MAX;
        return (size_t) limit.rlim_cur - MIN((size_t) limit.rlim_cur / 2, (size_t) PARKING_DESCRIPTORS_LEFT);
}

static int add_retry_timer(Parking *p, sd_event *event)
{
        int r;

        r = sd_event_add_time(event, &p->retry_source, CLOCK_MONOTONIC, USEC_INFINITY, USEC_PER_MSEC,
                              on_retry, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(p->retry_source, SD_EVENT_OFF);
        return sd_event_source_set_description(p->retry_source, "handoff-retry");
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
                .max = PARKING_CONNECTIONS_MAX,
                .descriptors_max = descriptors_max(),
                .lot = LOT_EMPTY,
                .on_change = on_change,
                .userdata = userdata,
        };

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        p->manager_fd = pair[0];
        p->worker_fd = pair[1];

        r = sd_event_add_io(event, &p->handoff_source, p->manager_fd, EPOLLIN, on_handoff, p);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(p->handoff_source, "handoff");

        r = watch_open(event, on_parked, p, &p->epoll_fd, &p->epoll_source);
        if (r < 0)
                return r;
        r = add_retry_timer(p, event);
        if (r < 0)
                return r;
        r = heads_new(event, on_heads_turn, p, &p->heads);
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
        lot_clear(&p->lot);
        heads_free(p->heads);
        fd_close(p->epoll_fd);
        fd_close(p->manager_fd);
        fd_close(p->worker_fd);
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

void parking_stop(Parking *p)
{
        take_last(p);
        FOREACH_PARKED(fd, &p->lot)
                if (lot_place(&p->lot, fd) == PLACE_RESTING && watch_add(p->epoll_fd, fd) >= 0)
                        lot_set_place(&p->lot, fd, PLACE_WATCHED);
        watch_collect_all(p->epoll_fd, p->lot.count, on_news, p);
        (void) parking_flush(p);
        (void) sd_event_source_set_enabled(p->epoll_source, SD_EVENT_OFF);
}

void parking_store(Parking *p, uint64_t descriptor_limit)
{
        size_t left = store_max(descriptor_limit);

        p->on_status = NULL; /* questions find no answer any more */
        take_last(p);
        store_queued(p->worker_fd, &left);
        watch_collect_all(p->epoll_fd, p->lot.count, on_news, p); /* what was said since the drain */
        store_lot(&p->lot, &left);
}

bool parking_waiting(const Parking *p)
{
        struct pollfd queue = { .fd = p->worker_fd, .events = POLLIN };

        return p->lot.ready_first >= 0 || poll(&queue, 1, 0) > 0;
}

size_t parking_ready_count(const Parking *p)
{
        int bytes = 0;

        (void) ioctl(p->worker_fd, FIONREAD, &bytes); /* of all messages: unix(7) */
        return p->lot.n_ready + (size_t) bytes / sizeof(HandoffMessage);
}

size_t parking_count(const Parking *p)
{
        return p->lot.count;
}
