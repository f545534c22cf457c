/* SPDX-License-Identifier: MIT */

/*
 * The pool's queue: see queue.h. It owns one netlink socket, opened once, and the highest count. Of a TCP
 * socket that listens, TCP_INFO has the accept queue (tcp(7)); of a Unix socket only sock_diag(7) has it,
 * which needs no privilege, but a RestrictAddressFamilies= that lets AF_NETLINK pass, and the network
 * namespace in which the socket was made.
 *
 * It never accepts, and never waits for longer than DIAG_TIMEOUT: it runs in the manager's loop.
 */

#include "manager/traffic/queue.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/log.h"

/* The kernel answers before send(2) returns, so this is for the day when it does not. Milliseconds. */
#define DIAG_TIMEOUT 20

/* An answer is a header and a few small attributes. */
#define DIAG_ANSWER_MAX 1024

typedef struct QueueSocket {
        int fd;
        uint32_t inode; /* of a Unix socket; 0 for TCP */
} QueueSocket;

struct Queue {
        const Parking *parking; /* borrowed */
        QueueSocket sockets[INHERIT_LISTEN_MAX]; /* borrowed descriptors */
        size_t n_sockets;
        int diag_fd;
        uint32_t sequence; /* of the last question: an answer to an earlier one is not taken for its own */
        bool refused;      /* and it was said */
        uint64_t highest;
};

/* One socket's share. */
typedef struct Backlog {
        uint64_t length, limit;
} Backlog;

static void diag_refused(Queue *q, int error)
{
        if (q->refused)
                return;
        q->refused = true;
        (void) log_warning_errno(error,
                                 "The system does not tell how many connections wait in a Unix socket "
                                 "(sock_diag), they are shown as 0: %m");
}

static int diag_ask(Queue *q, uint32_t inode)
{
        struct {
                struct nlmsghdr header;
                struct unix_diag_req request;
        } message = {
                .header = {
                        .nlmsg_len = sizeof message,
                        .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                        .nlmsg_flags = NLM_F_REQUEST,
                        .nlmsg_seq = ++q->sequence,
                },
                .request = {
                        .sdiag_family = AF_UNIX,
                        .udiag_states = UINT32_MAX,
                        .udiag_ino = inode,
                        .udiag_show = UDIAG_SHOW_RQLEN,
                        .udiag_cookie = { UINT32_MAX, UINT32_MAX }, /* any */
                },
        };

        return send(q->diag_fd, &message, sizeof message, MSG_DONTWAIT) < 0 ? -errno : 0;
}

/* Reads the attributes behind the header; 0 or -EBADMSG. */
static int diag_parse(const struct nlmsghdr *h, Backlog *ret)
{
        const struct unix_diag_msg *m = NLMSG_DATA(h);
        const struct rtattr *a = (const struct rtattr *) (m + 1);
        size_t left;

        if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY || h->nlmsg_len < NLMSG_LENGTH(sizeof *m))
                return -EBADMSG;
        for (left = h->nlmsg_len - NLMSG_LENGTH(sizeof *m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
                const struct unix_diag_rqlen *rqlen = RTA_DATA(a);

                if (a->rta_type != UNIX_DIAG_RQLEN || RTA_PAYLOAD(a) < sizeof *rqlen)
                        continue;
                *ret = (Backlog) { .length = rqlen->udiag_rqueue, .limit = rqlen->udiag_wqueue };
                return 0;
        }
        return -EBADMSG;
}

static int diag_receive(const Queue *q, Backlog *ret)
{
        union {
                struct nlmsghdr header;
                uint8_t bytes[DIAG_ANSWER_MAX];
        } answer;

        for (;;) {
                struct pollfd p = { .fd = q->diag_fd, .events = POLLIN };
                const struct nlmsghdr *h = &answer.header;
                ssize_t n;

                n = recv(q->diag_fd, &answer, sizeof answer, MSG_DONTWAIT);
                if (n < 0 && errno == EAGAIN && poll(&p, 1, DIAG_TIMEOUT) > 0)
                        continue;
                if (n < 0)
                        return -errno;
                if (!NLMSG_OK(h, (size_t) n))
                        return -EBADMSG;
                if (h->nlmsg_seq != q->sequence)
                        continue;
                if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nlmsgerr))) {
                        const struct nlmsgerr *e = NLMSG_DATA(h);

                        return e->error < 0 ? e->error : -EBADMSG;
                }
                return diag_parse(h, ret);
        }
}

static Backlog look_unix(Queue *q, uint32_t inode)
{
        Backlog backlog = {};
        int r;

        if (q->diag_fd < 0)
                return backlog;
        r = diag_ask(q, inode);
        if (r >= 0)
                r = diag_receive(q, &backlog);
        if (r < 0)
                diag_refused(q, r);
        return backlog;
}

static Backlog look_tcp(int fd)
{
        struct tcp_info info = {};
        socklen_t size = sizeof info;

        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
                return (Backlog) {};
        return (Backlog) { .length = info.tcpi_unacked, .limit = info.tcpi_sacked };
}

QueueCount queue_look(Queue *q)
{
        QueueCount count = { .length = parking_ready_count(q->parking) };

        for (size_t i = 0; i < q->n_sockets; i++) {
                const QueueSocket *s = &q->sockets[i];
                Backlog backlog = s->inode > 0 ? look_unix(q, s->inode) : look_tcp(s->fd);

                count.length += backlog.length;
                count.limit += backlog.limit;
        }
        q->highest = MAX(q->highest, count.length);
        count.highest = q->highest;
        return count;
}

bool queue_waiting(const Queue *q)
{
        struct pollfd p[INHERIT_LISTEN_MAX];

        for (size_t i = 0; i < q->n_sockets; i++)
                p[i] = (struct pollfd) { .fd = q->sockets[i].fd, .events = POLLIN };
        return parking_waiting(q->parking) || poll(p, q->n_sockets, 0) > 0;
}

/* 1 for a Unix socket, 0 for another, or -errno. */
static int queue_add(Queue *q, int fd)
{
        int domain;
        socklen_t size = sizeof domain;
        struct stat st = {};

        if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                return -errno;
        if (domain == AF_UNIX && fstat(fd, &st) < 0)
                return -errno;
        q->sockets[q->n_sockets++] = (QueueSocket) { .fd = fd, .inode = (uint32_t) st.st_ino };
        return domain == AF_UNIX;
}

int queue_new(const Listen *listen, const Parking *parking, Queue **ret)
{
        _cleanup_(queue_freep) Queue *q = NULL;
        bool has_unix = false;

        q = malloc(sizeof *q);
        if (!q)
                return -ENOMEM;
        *q = (Queue) { .parking = parking, .diag_fd = -EBADF };

        for (size_t i = 0; i < listen->n; i++) {
                int r;

                r = queue_add(q, listen->sockets[i].fd);
                if (r < 0)
                        return r;
                has_unix |= r > 0;
        }
        if (has_unix) {
                q->diag_fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
                if (q->diag_fd < 0)
                        diag_refused(q, -errno);
        }

        *ret = TAKE_PTR(q);
        return 0;
}

void queue_free(Queue *q)
{
        if (!q)
                return;
        fd_close(q->diag_fd);
        free(q);
}
