/* SPDX-License-Identifier: MIT */

/*
 * The status page and the ping, as a worker answers them: see built-in.h. PHP does not run for them, and is
 * not known here.
 */

#include "worker/request/built-in.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "base/io.h"
#include "ipc/handoff.h"
#include "worker/request/wait.h"

/* A page has some hundred bytes a worker, or some thousand where URIs are long. */
#define STATUS_SIZE_MAX (64U * 1024U * 1024U)

/* The most fields that dump_headers() has. */
#define FIELDS_MAX 8

#define UNAVAILABLE_TEXT " 503 Service Unavailable"
#define UNAVAILABLE_BODY "Status not available.\n"

/* Sends the question with a socket for the answer; the queue to the manager may be full for a moment. */
static int send_question(int handoff, const Handoff *question, usec_t deadline)
{
        for (;;) {
                int r;

                r = handoff_send(handoff, question);
                if (r != -EAGAIN)
                        return r;
                r = wait_for(handoff, POLLOUT, deadline);
                if (r < 0)
                        return r;
        }
}

/* Waits for the page. 0 and its memfd, or -errno; -ENOTCONN when the manager gave none. */
static int receive_page(int socket, usec_t deadline, int *ret_fd)
{
        Handoff answer;
        int r;

        r = wait_for(socket, POLLIN, deadline);
        if (r < 0)
                return r;
        r = handoff_receive(socket, HANDOFF_ASKER, &answer);
        if (r <= 0)
                return r < 0 ? r : -ENOTCONN;
        *ret_fd = answer.fd;
        return 0;
}

int built_in_ask_status(int handoff, DumpFormat format, bool full, char **ret, size_t *ret_size)
{
        _cleanup_(fd_closep) int mine = -EBADF, theirs = -EBADF, page = -EBADF;
        Handoff question = { .kind = HANDOFF_QUESTION,
                             .question = { .format = (uint8_t) format, .full = full } };
        usec_t deadline = usec_add(now_monotonic(), STATUS_TIMEOUT);
        int pair[2], r;

        if (handoff < 0)
                return -ENOTCONN;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
                return -errno;
        mine = pair[0];
        theirs = pair[1];

        question.fd = theirs;
        r = send_question(handoff, &question, deadline);
        if (r < 0)
                return r;
        theirs = fd_close(theirs); /* so that its last copy goes with the manager */
        r = receive_page(mine, deadline, &page);
        if (r < 0)
                return r;
        return io_read_file(page, STATUS_SIZE_MAX, (void **) ret, ret_size);
}

static void write_text(Request *request, const char *text)
{
        (void) request_write(request, text, strlen(text));
}

/* The fields of dump_headers(), each of which a line break ends. */
static size_t split_fields(const char *text, HeadField fields[static FIELDS_MAX])
{
        size_t n = 0;

        for (const char *end; n < FIELDS_MAX && (end = strstr(text, "\r\n")) && end > text; text = end + 2)
                fields[n++] = (HeadField) { text, (size_t) (end - text) };
        return n;
}

/* A status of 200 has no text. */
static void write_head(Request *request, int status, const char *text, DumpFormat format)
{
        HeadField fields[FIELDS_MAX];
        Head head = { .status = status, .text = text, .fields = fields };

        if (text)
                head.said = HEAD_STATUS_FIELD;
        head.n_fields = split_fields(dump_headers(format), fields);
        (void) request_write_head(request, &head);
}

static int serve_page(Request *request, bool head, int handoff)
{
        _cleanup_(freep) char *page = NULL;
        size_t size = 0;
        DumpFormat format;
        bool full;

        format = dump_format_of_query(params_get(request->params, "QUERY_STRING", NULL), &full);
        if (!head && built_in_ask_status(handoff, format, full, &page, &size) < 0) {
                write_head(request, 503, UNAVAILABLE_TEXT, DUMP_TEXT);
                write_text(request, UNAVAILABLE_BODY);
                return 503;
        }
        write_head(request, 200, NULL, format);
        if (size > 0)
                (void) request_write(request, page, size);
        return 200;
}

static int serve_ping(Request *request, bool head, const Config *config)
{
        write_head(request, 200, NULL, DUMP_TEXT);
        if (!head)
                write_text(request, config->ping_response);
        return 200;
}

static bool is_path(const char *name, const char *path)
{
        return *path && streq(name, path);
}

int built_in_serve(Request *request, const char *name, const Config *config, int handoff)
{
        bool ping = name && is_path(name, config->ping_path), head;
        const char *method;
        int status;

        if (!ping && !(name && is_path(name, config->status_path)))
                return 0;
        method = params_get(request->params, "REQUEST_METHOD", NULL);
        head = method && streq(method, "HEAD");

        request_script_known(request, "");
        status = ping ? serve_ping(request, head, config) : serve_page(request, head, handoff);
        request_script_ended(request);
        return status;
}
