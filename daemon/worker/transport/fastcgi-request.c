/* SPDX-License-Identifier: MIT */

/*
 * The operations of a request that came by FastCGI: see RequestOps. The head goes out as CGI has it (RFC
 * 3875, 6.3), in the same stream as the body.
 */

#include <sys/socket.h>

#include "worker/transport/fastcgi-connection.h"

#define STATUS_NAME "Status:"

/* Gives what is there, and waits only for the first byte. */
static ssize_t on_read_body(Request *request, void *buffer, size_t size)
{
        FastcgiConnection *c = fastcgi_of_request(request);
        size_t n;
        int r;

        if (c->connection.fd < 0 || size == 0)
                return 0;

        r = fastcgi_read_body(c);
        if (r < 0)
                return r;
        if (c->body == BODY_ABORTED)
                return -ECONNABORTED;

        n = MIN(size, c->body_size);
        if (n == 0)
                return 0; /* there may be no bytes to point behind */
        memcpy(buffer, c->body_bytes, n);
        c->body_bytes += n;
        c->body_size -= n;
        return (ssize_t) n;
}

static int append(Request *request, FcgiType type, const void *bytes, size_t size)
{
        FastcgiConnection *c = fastcgi_of_request(request);

        return c->body == BODY_ABORTED ? -EPIPE : output_write(&c->output, type, bytes, size);
}

static int on_write(Request *request, const void *bytes, size_t size)
{
        return append(request, FCGI_STDOUT, bytes, size);
}

static int on_write_error(Request *request, const void *bytes, size_t size)
{
        return append(request, FCGI_STDERR, bytes, size);
}

static int append_text(Request *request, const char *text)
{
        return append(request, FCGI_STDOUT, text, strlen(text));
}

static int append_status(Request *request, const Head *head)
{
        int r = 0;

        if (!head->text)
                return 0;
        if (head->said == HEAD_STATUS_FIELD)
                r = append_text(request, STATUS_NAME);
        if (r >= 0)
                r = append_text(request, head->text);
        return r < 0 ? r : append_text(request, "\r\n");
}

/* A head of any size, line by line. */
static int append_head(Request *request, const Head *head)
{
        int r;

        r = append_status(request, head);
        for (size_t i = 0; i < head->n_fields && r >= 0; i++) {
                r = append(request, FCGI_STDOUT, head->fields[i].bytes, head->fields[i].size);
                if (r >= 0)
                        r = append_text(request, "\r\n");
        }
        return r < 0 ? r : append_text(request, "\r\n");
}

/* The bytes of the fields, with the empty line behind them. */
static size_t fields_size(const Head *head)
{
        size_t size = 2;

        for (size_t i = 0; i < head->n_fields; i++)
                size += head->fields[i].size + 2;
        return size;
}

static uint8_t *put(uint8_t *p, const void *bytes, size_t size)
{
        memcpy(p, bytes, size);
        return p + size;
}

/* Most heads have no status and fit: they are copied once. */
static int on_write_head(Request *request, const Head *head)
{
        FastcgiConnection *c = fastcgi_of_request(request);
        uint8_t *p = NULL;

        if (!head->text && c->body != BODY_ABORTED)
                p = output_reserve(&c->output, FCGI_STDOUT, fields_size(head));
        if (!p)
                return append_head(request, head);

        for (size_t i = 0; i < head->n_fields; i++) {
                p = put(p, head->fields[i].bytes, head->fields[i].size);
                p = put(p, "\r\n", 2);
        }
        (void) put(p, "\r\n", 2);
        return 0;
}

static int on_flush(Request *request)
{
        FastcgiConnection *c = fastcgi_of_request(request);

        return c->body == BODY_ABORTED ? -EPIPE : output_flush(&c->output, USEC_INFINITY);
}

/*
 * A kept socket stays open. Any other is closed as soon as the request was read to its end; before that, the
 * client is told that no more will come, and the rest of the request is read by whoever wants it, or when
 * the request is settled.
 */
static int on_finish(Request *request)
{
        FastcgiConnection *c = fastcgi_of_request(request);
        int r;

        output_end(&c->output);
        r = output_flush(&c->output, USEC_INFINITY);
        if (r < 0)
                fastcgi_close_failed(c, r);
        else if (!c->keep) {
                if (fastcgi_discard(c, FASTCGI_DISCARD_MAX, 0) < 0 || c->body == BODY_ENDED)
                        connection_close(&c->connection);
                else
                        (void) shutdown(c->connection.fd, SHUT_WR);
        }
        c->connection.hooks->finishing(c->connection.userdata);
        return r;
}

static void on_script_known(Request *request, const char *script)
{
        FastcgiConnection *c = fastcgi_of_request(request);

        c->connection.hooks->script_known(c->connection.userdata, script);
}

static void on_script_ended(Request *request)
{
        FastcgiConnection *c = fastcgi_of_request(request);

        c->connection.hooks->finishing(c->connection.userdata);
}

/*
 * The script goes on for longer than its client: the next request on a kept socket need not wait for that.
 * Bytes behind this request would have to be read twice: such a socket stays.
 */
static void on_release(Request *request)
{
        FastcgiConnection *c = fastcgi_of_request(request);
        int r;

        if (c->connection.fd < 0 || !c->keep || c->body == BODY_ABORTED)
                return;
        if (fastcgi_discard(c, FASTCGI_DISCARD_MAX, /* patience= */ 0) < 0 || c->body != BODY_ENDED)
                return;
        if (input_ahead(&c->input))
                return;
        r = fastcgi_flush_replies(c);
        if (r < 0) {
                fastcgi_close_failed(c, r);
                return;
        }
        request_set_answer(request, ANSWER_RELEASED);
        c->connection.hooks->released(c->connection.userdata);
}

const RequestOps fastcgi_request_ops = {
        .read_body = on_read_body,
        .write_head = on_write_head,
        .write = on_write,
        .write_error = on_write_error,
        .flush = on_flush,
        .finish = on_finish,
        .release = on_release,
        .script_known = on_script_known,
        .script_ended = on_script_ended,
};
