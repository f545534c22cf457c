/* SPDX-License-Identifier: MIT */

/*
 * The outgoing half of a connection: see output.h. The buffer holds whole records and, last, one that is
 * still open, whose header is written when it closes. Room for its padding and the end of the request is
 * kept free at all times, so that ending an answer never needs a second call. Used by the files of fastcgi.h
 * only.
 */

#include "worker/transport/output.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fastcgi/encoder.h"
#include "worker/request/wait.h"

/* 3.3: padding is at most this here. */
#define PADDING_MAX 7

/* What may have to follow the gathered content: see above. */
#define TAIL_SIZE (PADDING_MAX + FCGI_END_REQUEST_SIZE)

static_assert(OUTPUT_BUFFER_SIZE <= FCGI_CONTENT_MAX, "a gathered record fits a record");
static_assert(OUTPUT_WHOLE_MAX + TAIL_SIZE <= OUTPUT_BUFFER_SIZE, "a whole record fits the buffer");

static const uint8_t padding[PADDING_MAX];

/* The one setter of state, but for a new socket. */
static void set_state(Output *o, OutputState state)
{
        static const uint8_t followers[_OUTPUT_STATE_MAX] = {
                [OUTPUT_FRESH] = 1U << OUTPUT_BEGUN,
                [OUTPUT_BEGUN] = 1U << OUTPUT_FRESH | 1U << OUTPUT_BROKEN | 1U << OUTPUT_STALLED,
        };

        assert(followers[o->state] & 1U << state);
        o->state = state;
}

static bool is_broken(const Output *o)
{
        return o->state >= OUTPUT_BROKEN;
}

void output_reset(Output *o, int fd)
{
        o->fd = fd;
        o->state = OUTPUT_FRESH;
        o->type = 0;
        o->used = 0;
}

void output_begin_answer(Output *o, uint16_t request_id)
{
        o->request_id = request_id;
        if (o->state == OUTPUT_BEGUN)
                set_state(o, OUTPUT_FRESH);
}

/* Moves an array of pieces forward by what was sent. */
static void skip_sent(struct msghdr *message, size_t sent)
{
        while (message->msg_iovlen > 0 && sent >= message->msg_iov->iov_len) {
                sent -= message->msg_iov->iov_len;
                message->msg_iov++;
                message->msg_iovlen--;
        }
        if (message->msg_iovlen > 0) {
                message->msg_iov->iov_base = (uint8_t *) message->msg_iov->iov_base + sent;
                message->msg_iov->iov_len -= sent;
        }
}

/* What the client has not taken so far. */
static int queued(int fd)
{
        int n = 0;

        (void) ioctl(fd, SIOCOUTQ, &n);
        return n;
}

/*
 * poll(2) tells of room when there is much: whether the client takes anything, the queue tells. The first
 * look only notes what is there, so that a short wait costs nothing more.
 */
static int wait_while_taken(Output *o, usec_t deadline)
{
        usec_t interval = MIN(OUTPUT_LOOK_INTERVAL, o->stall_timeout), now = now_monotonic();
        usec_t stalled = USEC_INFINITY;

        for (int before = -1, left, r;; before = left) {
                r = wait_for(o->fd, POLLOUT, MIN(MIN(stalled, deadline), usec_add(now, interval)));
                now = now_monotonic();
                if (r != -ETIMEDOUT || now >= deadline)
                        return r;
                left = queued(o->fd);
                if (left < before)
                        o->progress(o->userdata);
                else if (now >= stalled)
                        return r;
                if (before < 0 || left < before)
                        stalled = usec_add(now, o->stall_timeout);
        }
}

static int wait_for_room(Output *o, usec_t deadline)
{
        int r;

        o->waiting(o->userdata, true);
        r = wait_while_taken(o, deadline);
        o->waiting(o->userdata, false);
        return r;
}

/*
 * Sends all pieces, however slowly the client takes them. Which error it was that broke it matters to
 * nobody.
 */
static int output_send(Output *o, struct iovec *iov, size_t n, usec_t deadline)
{
        struct msghdr message = { .msg_iov = iov, .msg_iovlen = n };

        if (o->state != OUTPUT_BEGUN)
                set_state(o, OUTPUT_BEGUN);
        for (;;) {
                ssize_t k;
                int r;

                k = message.msg_iovlen == 1 ? send(o->fd, message.msg_iov->iov_base,
                                                   message.msg_iov->iov_len, MSG_NOSIGNAL)
                                            : sendmsg(o->fd, &message, MSG_NOSIGNAL);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k >= 0) {
                        skip_sent(&message, (size_t) k);
                        o->progress(o->userdata);
                }
                if (message.msg_iovlen == 0)
                        return 0;

                /* What was sent in part has filled the socket: there is no point in trying at once. */
                r = k < 0 && errno != EAGAIN ? -EPIPE : wait_for_room(o, deadline);
                if (r < 0) {
                        /* Without a deadline that the client could keep, it had no time to be slow in. */
                        set_state(o, r == -ETIMEDOUT && deadline > 0 ? OUTPUT_STALLED : OUTPUT_BROKEN);
                        return -EPIPE;
                }
        }
}

static void close_record(Output *o)
{
        size_t content;

        if (!o->type)
                return;

        content = o->used - o->record - FCGI_HEADER_SIZE;
        fcgi_encode_header(o->buffer + o->record, o->type, o->request_id, content, fcgi_padding(content));
        memset(o->buffer + o->used, 0, fcgi_padding(content));
        o->used += fcgi_padding(content);
        o->type = 0;
}

static void open_record(Output *o, FcgiType type)
{
        close_record(o);
        o->type = type;
        o->record = o->used;
        o->used += FCGI_HEADER_SIZE;
}

/* True when so much content fits, also if it takes a new record. */
static bool has_room(const Output *o, size_t size)
{
        size_t used = o->used + PADDING_MAX + FCGI_HEADER_SIZE + TAIL_SIZE;

        return used <= OUTPUT_BUFFER_SIZE && size <= OUTPUT_BUFFER_SIZE - used;
}

/* Room for so much content of this type, which fits. */
static uint8_t *append(Output *o, FcgiType type, size_t size)
{
        uint8_t *p;

        if (o->type != type)
                open_record(o, type);
        p = o->buffer + o->used;
        o->used += size;
        return p;
}

uint8_t *output_reserve(Output *o, FcgiType type, size_t size)
{
        return !is_broken(o) && has_room(o, size) ? append(o, type, size) : NULL;
}

/*
 * Sends what was gathered and these bytes, which are not copied, in as few calls as there are full batches.
 */
static int write_through(Output *o, FcgiType type, const uint8_t *p, size_t size)
{
        close_record(o);
        do {
                uint8_t headers[OUTPUT_RECORDS_MAX][FCGI_HEADER_SIZE];
                struct iovec iov[1 + 2 * OUTPUT_RECORDS_MAX + 1];
                size_t n = 0;
                int r;

                if (o->used > 0)
                        iov[n++] = (struct iovec) { o->buffer, o->used };
                for (size_t i = 0; i < OUTPUT_RECORDS_MAX && size > 0; i++) {
                        size_t content = MIN(size, (size_t) OUTPUT_RECORD_MAX);

                        fcgi_encode_header(headers[i], type, o->request_id, content, fcgi_padding(content));
                        iov[n++] = (struct iovec) { headers[i], FCGI_HEADER_SIZE };
                        iov[n++] = (struct iovec) { (void *) p, content };
                        if (fcgi_padding(content) > 0) /* only behind the last record */
                                iov[n++] = (struct iovec) { (void *) padding, fcgi_padding(content) };
                        p += content;
                        size -= content;
                }

                o->used = 0;
                r = output_send(o, iov, n, USEC_INFINITY);
                if (r < 0)
                        return r;
        } while (size > 0);
        return 0;
}

int output_write(Output *o, FcgiType type, const void *bytes, size_t size)
{
        if (is_broken(o))
                return -EPIPE;
        if (size == 0)
                return 0;
        if (!has_room(o, size))
                return write_through(o, type, bytes, size);

        memcpy(append(o, type, size), bytes, size);
        return 0;
}

int output_record(Output *o, const void *record, size_t size, usec_t deadline)
{
        assert(size <= OUTPUT_WHOLE_MAX);

        if (is_broken(o))
                return -EPIPE;
        if (!has_room(o, size)) {
                int r = output_flush(o, deadline);

                if (r < 0)
                        return r;
        }

        close_record(o);
        memcpy(o->buffer + o->used, record, size);
        o->used += size;
        return 0;
}

void output_end(Output *o)
{
        if (is_broken(o))
                return;
        close_record(o);
        fcgi_encode_end_request(o->buffer + o->used, o->request_id, 0, FCGI_REQUEST_COMPLETE);
        o->used += FCGI_END_REQUEST_SIZE;
}

int output_flush(Output *o, usec_t deadline)
{
        struct iovec iov;

        close_record(o);
        if (is_broken(o))
                return -EPIPE;
        if (o->used == 0)
                return 0;

        iov = (struct iovec) { o->buffer, o->used };
        o->used = 0;
        return output_send(o, &iov, 1, deadline);
}
