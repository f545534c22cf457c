/* SPDX-License-Identifier: MIT */

/*
 * What each code of config/access.def becomes: see access-line.h. The values are PHP-FPM's, as far as it has
 * them when it writes its line, which is before shutdown functions and the end of the output.
 */

#include "worker/serve/access-line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/parse.h"
#include "base/utf8.h"

#define TIME_FORMAT "%d/%b/%Y:%H:%M:%S %z"
#define TIME_MAX 256

typedef struct Line {
        char *bytes;
        size_t size; /* without its zero */
} Line;

/* Appends what is ours, as it is. */
static void add(Line *l, const char *bytes, size_t size)
{
        size = MIN(size, ACCESS_LINE_MAX - 1 - l->size);
        memcpy(l->bytes + l->size, bytes, size);
        l->size += size;
}

static _printf_(2, 3) void add_format(Line *l, const char *format, ...)
{
        char text[64];
        va_list ap;
        int n;

        va_start(ap, format);
        n = vsnprintf(text, sizeof text, format, ap);
        va_end(ap);
        add(l, text, MIN((size_t) MAX(n, 0), sizeof text - 1));
}

/* The bytes of the character that text begins with, and whether they may stand in a line as they are. */
static size_t next_character(const char *text, size_t size, bool *ret_plain)
{
        uint32_t code = 0;
        size_t n = utf8_decode(text, size, &code);

        *ret_plain = n > 0 && utf8_is_printable(code) && code != '"' && code != '\\';
        return MAX(n, (size_t) 1);
}

/* Appends what others wrote. */
static void add_text(Line *l, const char *text)
{
        size_t size = strlen(text);

        while (size > 0 && l->size < ACCESS_LINE_MAX - 1) {
                bool plain;
                size_t n = next_character(text, size, &plain);

                for (size_t i = 0; i < n && !plain; i++)
                        add_format(l, "\\x%02X", (unsigned) (uint8_t) text[i]);
                if (plain)
                        add(l, text, n);
                text += n;
                size -= n;
        }
}

/* The format is the operator's: no compiler can check it, and strftime(3) takes any. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void add_time(Line *l, const char *format, usec_t time)
{
        time_t seconds = (time_t) (time / USEC_PER_SEC);
        char text[TIME_MAX];
        struct tm tm;
        size_t n = 0;

        if (localtime_r(&seconds, &tm))
                n = strftime(text, sizeof text, format ? format : TIME_FORMAT, &tm);
        add(l, n > 0 ? text : "-", MAX(n, (size_t) 1));
}
#pragma GCC diagnostic pop

static void add_cpu(Line *l, const AccessEntry *e, usec_t cpu)
{
        add_format(l, "%.2f", e->duration > 0 ? (double) cpu * 100 / (double) e->duration : 0.0);
}

static void add_thousandths(Line *l, uint64_t n)
{
        add_format(l, "%" PRIu64 ".%03" PRIu64, n / 1000, n % 1000);
}

/* A dash where there is nothing to say. */
static const char *or_dash(const char *text)
{
        return text && *text ? text : "-";
}

static const char *header(const Request *request, const char *name)
{
        for (size_t i = 0; i < request->n_wanted; i++)
                if (streq(request->wanted[i].name, name))
                        return request->wanted[i].value;
        return NULL;
}

static const char *param(const Request *request, const char *name)
{
        return params_get(request->params, name, NULL);
}

static const char *query(const Request *request)
{
        return param(request, "QUERY_STRING") ?: "";
}

/* NULL for what is no text of others. */
static const char *find_text(const AccessPiece *piece, const AccessEntry *e)
{
        const Request *request = e->request;

        switch (piece->code) {
        case ACCESS_PARAM:
                return param(request, piece->text) ?: "-";
        case ACCESS_SCRIPT:
                return or_dash(request->script);
        case ACCESS_METHOD:
                return or_dash(param(request, "REQUEST_METHOD"));
        case ACCESS_POOL:
                return e->pool;
        case ACCESS_HEADER:
                return or_dash(header(request, piece->text));
        case ACCESS_QUERY:
                return query(request);
        case ACCESS_QUESTION:
                return *query(request) ? "?" : "";
        case ACCESS_NAME:
                return request->name ?: "";
        case ACCESS_PEER:
                return or_dash(e->peer);
        case ACCESS_USER:
                return request->user;
        default:
                return NULL;
        }
}

/* The request's CONTENT_LENGTH, 0 for none. */
static uint64_t content_length(const Request *request)
{
        const char *length = param(request, "CONTENT_LENGTH");
        uint64_t n;

        return length && parse_u64(length, &n) >= 0 ? n : 0;
}

/* False for what is no whole number. */
static bool find_number(AccessCode code, const AccessEntry *e, uint64_t *ret)
{
        switch (code) {
        case ACCESS_MICROSECONDS:
                *ret = e->duration;
                return true;
        case ACCESS_LENGTH:
                *ret = content_length(e->request);
                return true;
        case ACCESS_BYTES:
                *ret = e->memory;
                return true;
        case ACCESS_KILOBYTES:
                *ret = e->memory >> 10;
                return true;
        case ACCESS_MEGABYTES:
                *ret = e->memory >> 20;
                return true;
        case ACCESS_PID:
                *ret = (uint64_t) e->pid;
                return true;
        case ACCESS_PARENT:
                *ret = (uint64_t) e->parent;
                return true;
        case ACCESS_STATUS:
                *ret = (uint64_t) e->status;
                return true;
        default:
                return false;
        }
}

/* Appends what is a form of its own. */
static void add_other(Line *l, const AccessPiece *piece, const AccessEntry *e)
{
        switch (piece->code) {
        case ACCESS_TEXT:
                add(l, piece->text, piece->size);
                break;
        case ACCESS_CPU:
                add_cpu(l, e, e->cpu_user + e->cpu_system);
                break;
        case ACCESS_CPU_USER:
                add_cpu(l, e, e->cpu_user);
                break;
        case ACCESS_CPU_SYSTEM:
                add_cpu(l, e, e->cpu_system);
                break;
        case ACCESS_SECONDS:
                add_thousandths(l, e->duration / USEC_PER_MSEC);
                break;
        case ACCESS_MILLISECONDS:
                add_thousandths(l, e->duration);
                break;
        case ACCESS_STARTED:
                add_time(l, piece->text, e->started);
                break;
        case ACCESS_ENDED:
                add_time(l, piece->text, usec_add(e->started, e->duration));
                break;
        default:
                break;
        }
}

static void add_piece(Line *l, const AccessPiece *piece, const AccessEntry *e)
{
        const char *text = find_text(piece, e);
        uint64_t n;

        if (text)
                add_text(l, text);
        else if (find_number(piece->code, e, &n))
                add_format(l, "%" PRIu64, n);
        else
                add_other(l, piece, e);
}

size_t access_line(const AccessFormat *format, const AccessEntry *entry, char line[static ACCESS_LINE_MAX])
{
        Line l = { .bytes = line };

        for (size_t i = 0; i < format->n_pieces; i++)
                add_piece(&l, &format->pieces[i], entry);
        if (l.size == ACCESS_LINE_MAX - 1)
                l.size = utf8_cut(line, l.size);
        line[l.size] = 0;
        return l.size;
}

bool access_suppressed(char *const *paths, const Request *request, int status)
{
        const char *method = param(request, "REQUEST_METHOD");

        if (!*paths || !request->name || !method || (!streq(method, "GET") && !streq(method, "HEAD")) ||
            status < 200 || status > 299 || *query(request) || content_length(request) > 0)
                return false;
        while (*paths && !streq(*paths, request->name))
                paths++;
        return *paths;
}
