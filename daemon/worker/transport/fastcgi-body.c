/* SPDX-License-Identifier: MIT */

/*
 * What comes of a request behind its head, for the script or for nobody: see fastcgi-connection.h. The
 * script waits here for its client; what nobody reads is waited for within bounds.
 *
 * A socket closed with unread input resets the connection, and the client may lose the end of its answer; a
 * web server that cannot send all of a body may give the answer up (nginx: 502). So what a script left of
 * the body is read first, unless it comes too slowly. The peer's end of file is never waited for.
 */

#include <poll.h>

#include "base/log.h"
#include "worker/request/wait.h"
#include "worker/transport/fastcgi-connection.h"

int fastcgi_reply(FastcgiConnection *c, usec_t deadline, FcgiItem *ret)
{
        int r;

        do {
                c->close_next = c->close_next || ret->data.close;
                r = output_record(&c->output, ret->data.bytes, ret->data.size, deadline);
                if (r < 0)
                        return r;
                r = input_next(&c->input, ret);
        } while (r == FCGI_REPLY);
        return r;
}

/* Reads once, of a body: input_read(). */
static int read_some(FastcgiConnection *c)
{
        int r;

        r = (int) input_read(&c->input);
        if (r > 0)
                c->connection.hooks->progress(c->connection.userdata);
        return r;
}

int fastcgi_read_body(FastcgiConnection *c)
{
        FcgiItem item;
        int r;

        while (c->body_size == 0 && c->body < BODY_ABORTED) {
                r = fastcgi_decode(c, USEC_INFINITY, &item);
                switch (r) {
                case FCGI_BODY:
                        fastcgi_set_body(c, BODY_BEGUN);
                        c->body_bytes = item.data.bytes;
                        c->body_size = item.data.size;
                        break;
                case FCGI_BODY_END:
                case FCGI_PAUSED:
                        fastcgi_set_body(c, BODY_ENDED);
                        break;
                case FCGI_ABORT:
                        fastcgi_set_body(c, BODY_ABORTED);
                        break;
                case FCGI_NEED_MORE:
                        r = read_some(c);
                        if (r == 0)
                                r = wait_for(c->connection.fd, POLLIN, USEC_INFINITY);
                        break;
                default:
                        break;
                }
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Discards what is in our memory. True when that was all of the request; or -errno. */
static int discard_buffered(FastcgiConnection *c)
{
        FcgiItem item;
        int r;

        do {
                r = fastcgi_decode(c, /* deadline= */ 0, &item);
                if (r == FCGI_BODY && c->body == BODY_AWAITED)
                        fastcgi_set_body(c, BODY_BEGUN);
                else if (r == FCGI_BODY_END || r == FCGI_ABORT || r == FCGI_PAUSED)
                        fastcgi_set_body(c, BODY_ENDED);
        } while (r >= 0 && r != FCGI_NEED_MORE && c->body != BODY_ENDED);
        return r < 0 ? r : c->body == BODY_ENDED;
}

usec_t fastcgi_discard_time(uint64_t n_bytes)
{
        if (n_bytes / FASTCGI_DISCARD_RATE >= FASTCGI_DISCARD_TIME_MAX / USEC_PER_SEC)
                return FASTCGI_DISCARD_TIME_MAX;
        return n_bytes * USEC_PER_SEC / FASTCGI_DISCARD_RATE;
}

int fastcgi_discard(FastcgiConnection *c, size_t max_read, usec_t patience)
{
        usec_t least = 0; /* the clock is read where there is anything to wait for */
        size_t n_read = 0;
        int r;

        c->body_size = 0;
        while (c->body != BODY_ENDED) {
                usec_t now, end = USEC_INFINITY;

                r = discard_buffered(c);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (patience > 0) {
                        now = now_monotonic();
                        if (least == 0)
                                least = usec_add(now, patience);
                        end = usec_add(least, fastcgi_discard_time(n_read));
                        if (now > end)
                                return -ETIMEDOUT;
                }

                if (n_read >= max_read)
                        return 0;
                r = read_some(c);
                if (r == 0 && patience == 0)
                        return 0;
                if (r == 0)
                        r = wait_for(c->connection.fd, POLLIN, end);
                else if (r > 0)
                        n_read += (size_t) r;
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * True when the end of the body is still to come. A responder's request always has it, and Apache and Caddy
 * send it in a record of its own, so late that the answer may be there first; meeting a closed socket then,
 * they take the request for failed. Where the socket stays open, nothing has to wait for it. An
 * authorizer's client may leave it out (6.3).
 */
static bool end_expected(const FastcgiConnection *c)
{
        const char *length;

        if (c->body >= BODY_ABORTED)
                return false;
        length = params_get(c->request.params, "CONTENT_LENGTH", NULL);
        return c->body == BODY_BEGUN || (length && *length && !streq(length, "0")) ||
               params_get(c->request.params, "HTTP_TRANSFER_ENCODING", NULL) ||
               (c->role == FCGI_RESPONDER && !c->keep);
}

int fastcgi_flush_replies(FastcgiConnection *c)
{
        int r;

        r = output_flush(&c->output, /* deadline= */ 0);
        return r >= 0 && c->close_next ? -ECONNRESET : r;
}

int fastcgi_discard_rest(FastcgiConnection *c)
{
        int r;

        r = fastcgi_discard(c, c->keep ? 0 : FASTCGI_DISCARD_MAX, /* patience= */ 0);
        if (r >= 0 && end_expected(c))
                r = fastcgi_discard(c, SIZE_MAX, c->header_timeout);
        return r < 0 || !c->keep ? r : fastcgi_flush_replies(c);
}

void fastcgi_close_failed(FastcgiConnection *c, int error)
{
        if (output_stalled(&c->output))
                connection_close_late(&c->connection, LATE_WITH_TAKING);
        else if (error == -ETIMEDOUT)
                connection_close_late(&c->connection, LATE_WITH_BODY);
        else {
                log_debug_errno(error,
                                "A client is gone, takes no replies, or sends what is no FastCGI: %m");
                connection_close(&c->connection);
        }
}
