/* SPDX-License-Identifier: MIT */

/*
 * The head of an answer, taken from PHP: its status, how CGI is to say it (RFC 3875, section 6.3), and the
 * fields. The form in which the script sent the status decides that, in PHP-FPM's order: header("HTTP/1.1
 * 404 Gone Fishing"), header("Status: 404"), http_response_code(404).
 */

#include "worker/php/internal.h"

#include <http_status_codes.h>
#include <stdio.h>

/* A head with no more fields than this needs no memory. */
#define FIELDS_FEW 32

/* What stands behind "Status:" for a number: three to ten digits, and the longest reason. */
#define STATUS_TEXT_MAX 128

#define STATUS_NOT_MODIFIED 304

static bool header_is(const sapi_header_struct *header, const char *name)
{
        size_t n = strlen(name);

        /* Few begin with the same letter, in whichever case. */
        return header->header_len > n && ((header->header[0] ^ name[0]) & ~0x20) == 0 &&
               strncasecmp(header->header, name, n) == 0;
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

/* The same as header("HTTP/1.1 404 Not Found") would have it. */
static const char *status_text(int status, char text[static STATUS_TEXT_MAX])
{
        const char *reason = status_reason(status);

        (void) snprintf(text, STATUS_TEXT_MAX, " %d%s%s", status, reason ? " " : "", reason ? reason : "");
        return text;
}

/* What stands behind the version in a line of HTTP, NULL where the line is none. */
static const char *behind_version(const char *line)
{
        const char *space = line ? strchr(line, ' ') : NULL;

        return space && space - line >= 5 && strncasecmp(line, "HTTP/", 5) == 0 ? space : NULL;
}

/* The status, and its text, which may stand in the given place. */
static void take_status(sapi_headers_struct *headers, char text[static STATUS_TEXT_MAX], Head *head)
{
        const char *line = headers->http_status_line, *space = NULL;

        head->status = headers->http_response_code;
        if (!php_process.settings.nph && head->status == 200)
                return;

        if (line && php_process.settings.rfc2616_headers) {
                head->said = HEAD_STATUS_LINE;
                head->text = line;
                space = strchr(line, ' ');
        } else if ((space = behind_version(line))) {
                head->said = HEAD_STATUS_FIELD;
                head->text = space;
        } else if (!has_header(headers, "Status:")) {
                head->said = HEAD_STATUS_FIELD;
                head->text = status_text(head->status, text);
        }
        if (space)
                head->status = atoi(space + 1);
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

/* The fields that are sent. One of them may say the status, where nothing else does. */
static void take_fields(Request *request, sapi_headers_struct *headers, HeadField *fields, Head *head)
{
        bool not_modified = head->status == STATUS_NOT_MODIFIED;
        zend_llist_position pos;

        head->fields = fields;
        for (const sapi_header_struct *h = header_first(headers, &pos); h; h = header_next(headers, &pos)) {
                if (h->header_len == 0 || (not_modified && header_is(h, "Content-Type:")))
                        continue;
                if (header_is(h, "Status:")) {
                        if (head->said != HEAD_STATUS_UNSAID)
                                continue;
                        head->said = HEAD_STATUS_AMONG;
                        head->status = atoi(h->header + strlen("Status:"));
                }
                fields[head->n_fields++] = (HeadField) { h->header, h->header_len };
                keep_header(request, h);
        }
}

/* Owns memory, and calls nothing of PHP that could leave by longjmp(3). */
static int write_headers(Request *request, sapi_headers_struct *headers)
{
        size_t n = zend_llist_count(&headers->headers);
        _cleanup_(freep) HeadField *more = NULL;
        char text[STATUS_TEXT_MAX];
        HeadField few[FIELDS_FEW];
        Head head = {};

        if (n > FIELDS_FEW) {
                more = calloc(n, sizeof *more);
                if (!more)
                        return -ENOMEM;
        }
        take_status(headers, text, &head);
        take_fields(request, headers, more ?: few, &head);
        return request_write_head(request, &head);
}

int sapi_write_headers(sapi_headers_struct *headers)
{
        PhpRequest *r = php_request();

        if (r && write_headers(r->request, headers) < 0)
                php_handle_aborted_connection();
        return SAPI_HEADER_SENT_SUCCESSFULLY;
}

void sapi_write_status(Request *request, int status)
{
        static const char type[] = "Content-type: text/html; charset=UTF-8";
        const HeadField field = { type, sizeof type - 1 };
        char text[STATUS_TEXT_MAX];

        (void) request_write_head(request, &(Head) {
                                                   .status = status,
                                                   .said = HEAD_STATUS_FIELD,
                                                   .text = status_text(status, text),
                                                   .fields = &field,
                                                   .n_fields = 1,
                                           });
}
