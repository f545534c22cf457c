/* SPDX-License-Identifier: MIT */

/*
 * The head of an answer, as CGI has it (RFC 3875, section 6.3): a Status: line where the status is not 200,
 * and the headers. Who sent which form of status decides what the line says, in PHP-FPM's order:
 * header("HTTP/1.1 404 Gone Fishing"), header("Status: 404"), http_response_code(404).
 */

#include "worker/php/internal.h"

#include <http_status_codes.h>
#include <stdio.h>

/* Forms in which the status stands in the head. */
typedef enum StatusForm {
        STATUS_NONE,   /* 200, which needs none */
        STATUS_LINE,   /* "HTTP/1.1 404 Not Found", whole */
        STATUS_REASON, /* the same behind "Status:" */
        STATUS_HEADER, /* among the headers already */
        STATUS_CODE,   /* made from the number */
} StatusForm;

static bool header_is(const sapi_header_struct *header, const char *name)
{
        size_t n = strlen(name);

        return header->header_len > n && strncasecmp(header->header, name, n) == 0;
}

static const sapi_header_struct *header_first(sapi_headers_struct *headers, zend_llist_position *pos)
{
        return zend_llist_get_first_ex(&headers->headers, pos);
}

static const sapi_header_struct *header_next(sapi_headers_struct *headers, zend_llist_position *pos)
{
        return zend_llist_get_next_ex(&headers->headers, pos);
}

static bool has_header(sapi_headers_struct *headers, const char *name)
{
        zend_llist_position pos;

        for (const sapi_header_struct *h = header_first(headers, &pos); h; h = header_next(headers, &pos))
                if (header_is(h, name))
                        return true;
        return false;
}

static const char *status_reason(int status)
{
        for (const http_response_status_code_pair *p = http_status_map; p->code != 0; p++)
                if (p->code == status)
                        return p->str;
        return NULL;
}

static StatusForm status_form(sapi_headers_struct *headers)
{
        const char *line = headers->http_status_line, *space;

        if (!php_process.settings.nph && headers->http_response_code == 200)
                return STATUS_NONE;
        if (line && php_process.settings.rfc2616_headers)
                return STATUS_LINE;
        space = line ? strchr(line, ' ') : NULL;
        if (space && space - line >= 5 && strncasecmp(line, "HTTP/", 5) == 0)
                return STATUS_REASON;
        return has_header(headers, "Status:") ? STATUS_HEADER : STATUS_CODE;
}

static int emit(Request *request, const char *bytes, size_t size)
{
        return request->ops->write(request, bytes, size);
}

static int emit_line(Request *request, const char *bytes, size_t size)
{
        int r;

        r = emit(request, bytes, size);
        return r < 0 ? r : emit(request, "\r\n", 2);
}

static int emit_code(Request *request, int status)
{
        const char *reason = status_reason(status);
        char line[128];
        int n;

        n = snprintf(line, sizeof line, "Status: %d%s%s", status, reason ? " " : "", reason ? reason : "");
        return emit_line(request, line, (size_t) n);
}

/* Writes the status, and gives the one that the client sees. */
static int emit_status(Request *request, sapi_headers_struct *headers, StatusForm form, int *ret_status)
{
        const char *line = headers->http_status_line, *space = NULL;
        int r = 0;

        *ret_status = headers->http_response_code;
        if (form == STATUS_CODE)
                return emit_code(request, headers->http_response_code);

        if (form == STATUS_LINE || form == STATUS_REASON)
                space = strchr(line, ' ');
        if (space)
                *ret_status = atoi(space + 1);
        if (form == STATUS_REASON) {
                r = emit(request, "Status:", 7);
                line = space;
        }
        if (r >= 0 && (form == STATUS_LINE || form == STATUS_REASON))
                r = emit_line(request, line, strlen(line));
        return r;
}

/* Keeps the value of a header that the log wants. */
static void keep_header(Request *request, const sapi_header_struct *h)
{
        for (size_t i = 0; i < request->n_wanted; i++) {
                RequestHeader *wanted = &request->wanted[i];
                size_t n = strlen(wanted->name);
                const char *value = h->header + n + 1;

                if (!header_is(h, wanted->name) || h->header[n] != ':' || wanted->value[0])
                        continue;
                value += strspn(value, " \t");
                (void) snprintf(wanted->value, sizeof wanted->value, "%s", value);
        }
}

static int emit_headers(Request *request, sapi_headers_struct *headers)
{
        StatusForm form = status_form(headers);
        bool status_sent = form != STATUS_NONE && form != STATUS_HEADER;
        zend_llist_position pos;
        int r, status;

        r = emit_status(request, headers, form, &status);
        for (const sapi_header_struct *h = header_first(headers, &pos); h && r >= 0;
             h = header_next(headers, &pos)) {
                if (h->header_len == 0 || (status == 304 && header_is(h, "Content-Type:")))
                        continue;
                if (header_is(h, "Status:")) {
                        if (status_sent)
                                continue;
                        status_sent = true;
                }
                r = emit_line(request, h->header, h->header_len);
                keep_header(request, h);
        }
        return r < 0 ? r : emit(request, "\r\n", 2);
}

int sapi_write_headers(sapi_headers_struct *headers)
{
        PhpRequest *r = php_request();

        if (r && !r->request->finished && emit_headers(r->request, headers) < 0)
                php_handle_aborted_connection();
        return SAPI_HEADER_SENT_SUCCESSFULLY;
}

void sapi_write_status(Request *request, int status)
{
        static const char type[] = "Content-type: text/html; charset=UTF-8\r\n\r\n";

        if (emit_code(request, status) >= 0)
                (void) emit(request, type, sizeof type - 1);
}
