/* SPDX-License-Identifier: MIT */

/*
 * Connections between manager and workers: see handoff.h. The wire form is made and read by two pure
 * functions; the rest moves descriptors and never waits.
 */

#include "ipc/handoff.h"

#include <sys/socket.h>

/* _HANDOFF_NONE has no taker; its place is never looked at. */
static const HandoffTaker takers[] = {
#define HANDOFF(kind, taker) [HANDOFF_##kind] = HANDOFF_##taker,
        HANDOFF_LIST
#undef HANDOFF
};
static_assert(ELEMENTSOF(takers) == _HANDOFF_KIND_MAX, "every kind has a taker");

static bool has_connection(HandoffKind kind)
{
        return kind == HANDOFF_PARK || kind == HANDOFF_SERVE;
}

void origin_close(Origin *origin)
{
        origin->head = fd_close(origin->head);
}

size_t handoff_encode(const Handoff *h, HandoffMessage *ret, int fds[static HANDOFF_FDS_MAX])
{
        HandoffMessage message = { .kind = (uint8_t) h->kind };
        size_t n = 0;

        assert(h->kind > _HANDOFF_NONE && h->kind < _HANDOFF_KIND_MAX);
        assert(h->fd >= 0);

        fds[n++] = h->fd;
        if (has_connection(h->kind)) {
                const Origin *o = &h->origin;

                assert(o->protocol < _PROTOCOL_MAX);
                assert((o->head >= 0) == (o->deadline > 0) && (o->head >= 0) == (o->moves > 0));

                message.protocol = (uint8_t) o->protocol;
                message.unix_socket = o->unix_socket;
                message.moves = o->moves;
                message.deadline = o->deadline;
                if (o->head >= 0)
                        fds[n++] = o->head;
        } else if (h->kind == HANDOFF_QUESTION) {
                message.format = h->question.format;
                message.full = h->question.full;
        }
        *ret = message;
        return n;
}

/* What only other kinds use is zero. */
static bool rest_is_zero(const HandoffMessage *m)
{
        if (m->reserved[0] || m->reserved[1])
                return false;
        if (m->kind != HANDOFF_QUESTION && (m->format || m->full))
                return false;
        return has_connection(m->kind) || (!m->protocol && !m->unix_socket && !m->moves && !m->deadline);
}

/* A head has a time and has moved, and nothing else has. */
static bool handoff_valid(const HandoffMessage *m, size_t n_fds, HandoffTaker taker)
{
        bool head = n_fds == 2;

        if (m->kind <= _HANDOFF_NONE || m->kind >= _HANDOFF_KIND_MAX || takers[m->kind] != taker)
                return false;
        if (n_fds != 1 && !(head && has_connection(m->kind)))
                return false;
        if (m->unix_socket > 1 || m->full > 1 || head != (m->moves > 0) || head != (m->deadline > 0))
                return false;
        return rest_is_zero(m);
}

int handoff_decode(const HandoffMessage *m, size_t size, const int *fds, size_t n_fds, HandoffTaker taker,
                   Handoff *ret)
{
        Handoff h;

        if (size != sizeof *m || !handoff_valid(m, n_fds, taker))
                return -EBADMSG;
        if (has_connection(m->kind) && m->protocol >= _PROTOCOL_MAX)
                return -EPROTONOSUPPORT;

        h = (Handoff) { .kind = m->kind, .fd = fds[0] };
        if (has_connection(m->kind))
                h.origin = (Origin) {
                        .protocol = m->protocol,
                        .unix_socket = m->unix_socket,
                        .head = n_fds > 1 ? fds[1] : -EBADF,
                        .moves = m->moves,
                        .deadline = m->deadline,
                };
        else if (m->kind == HANDOFF_QUESTION)
                h.question = (HandoffQuestion) { .format = m->format, .full = m->full };
        *ret = h;
        return 0;
}

int handoff_send(int socket, const Handoff *handoff)
{
        int fds[HANDOFF_FDS_MAX];
        HandoffMessage message;
        size_t n_fds;

        n_fds = handoff_encode(handoff, &message, fds);
        return fd_send(socket, &message, sizeof message, fds, n_fds, MSG_DONTWAIT);
}

int handoff_receive(int socket, HandoffTaker taker, Handoff *ret)
{
        int fds[HANDOFF_FDS_MAX] = { -EBADF, -EBADF }, r;
        HandoffMessage message;
        size_t n_fds = 0;
        ssize_t n;

        n = fd_receive(socket, &message, sizeof message, fds, ELEMENTSOF(fds), &n_fds);
        if ((n == 0 && n_fds == 0) || n == -ECONNRESET)
                return 0;
        if (n == -EMSGSIZE || n == -EXFULL)
                return -EBADMSG;
        if (n < 0)
                return (int) n;

        r = handoff_decode(&message, (size_t) n, fds, n_fds, taker, ret);
        if (r < 0) {
                fd_close(fds[0]);
                fd_close(fds[1]);
                return r;
        }
        return 1;
}

void handoff_close(Handoff *h)
{
        h->fd = fd_close(h->fd);
        if (has_connection(h->kind))
                origin_close(&h->origin);
}
