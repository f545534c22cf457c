/* SPDX-License-Identifier: MIT */

/*
 * What each code of config/access.def becomes: see access-line.h. The values are PHP-FPM's, as far as it has
 * them when it writes its line, which is before shutdown functions and the end of the output.
 */

#include "worker/access-line.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/parse.h"

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

static bool must_escape(char c)
{
        return (uint8_t) c < ' ' || c == 0x7f || c == '"' || c == '\\';
}

/* Appends what others wrote. */
static void add_text(Line *l, const char *text)
{
        while (*text && l->size < ACCESS_LINE_MAX - 1) {
                size_t n = 0;

                while (text[n] && !must_escape(text[n]))
                        n++;
                add(l, text, n);
                text += n;
                if (*text)
                        add_format(l, "\\x%02X", (unsigned) (uint8_t) *text++);
        }
}

/* A dash where there is nothing to say. */
static void add_or_dash(Line *l, const char *text)
{
        add_text(l, text && *text ? text : "-");
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

static void add_header(Line *l, const Request *request, const char *name)
{
        for (size_t i = 0; i < request->n_wanted; i++)
                if (streq(request->wanted[i].name, name)) {
                        add_or_dash(l, request->wanted[i].value);
                        return;
                }
        add_or_dash(l, NULL);
}

static const char *param(const Request *request, const char *name)
{
        return params_get(request->params, name, NULL);
}

static const char *query(const Request *request)
{
        const char *q = param(request, "QUERY_STRING");

        return q ? q : "";
}

static void add_piece(Line *l, const AccessPiece *piece, const AccessEntry *e)
{
        const Request *request = e->request;
        const char *value;

        switch (piece->code) {
        case ACCESS_TEXT:
        case ACCESS_PERCENT:
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
        case ACCESS_MICROSECONDS:
                add_format(l, "%" PRIu64, e->duration);
                break;
        case ACCESS_PARAM:
                value = param(request, piece->text);
                add_text(l, value ? value : "-");
                break;
        case ACCESS_SCRIPT:
                add_or_dash(l, request->script);
                break;
        case ACCESS_LENGTH:
                add_format(l, "%" PRIu64, access_content_length(request));
                break;
        case ACCESS_METHOD:
                add_or_dash(l, param(request, "REQUEST_METHOD"));
                break;
        case ACCESS_BYTES:
                add_format(l, "%" PRIu64, e->memory);
                break;
        case ACCESS_KILOBYTES:
                add_format(l, "%" PRIu64, e->memory >> 10);
                break;
        case ACCESS_MEGABYTES:
                add_format(l, "%" PRIu64, e->memory >> 20);
                break;
        case ACCESS_POOL:
                add_text(l, e->pool);
                break;
        case ACCESS_HEADER:
                add_header(l, request, piece->text);
                break;
        case ACCESS_PID:
                add_format(l, "%d", e->pid);
                break;
        case ACCESS_PARENT:
                add_format(l, "%d", e->parent);
                break;
        case ACCESS_QUERY:
                add_text(l, query(request));
                break;
        case ACCESS_QUESTION:
                add_text(l, *query(request) ? "?" : "");
                break;
        case ACCESS_NAME:
                add_text(l, request->name ? request->name : "");
                break;
        case ACCESS_PEER:
                add_or_dash(l, e->peer);
                break;
        case ACCESS_STATUS:
                add_format(l, "%d", e->status);
                break;
        case ACCESS_STARTED:
                add_time(l, piece->text, e->started);
                break;
        case ACCESS_ENDED:
                add_time(l, piece->text, usec_add(e->started, e->duration));
                break;
        case ACCESS_USER:
                add_text(l, request->user);
                break;
        case _ACCESS_CODE_MAX:
                break;
        }
}

size_t access_line(const AccessFormat *format, const AccessEntry *entry, char line[static ACCESS_LINE_MAX])
{
        Line l = { .bytes = line };

        for (size_t i = 0; i < format->n_pieces; i++)
                add_piece(&l, &format->pieces[i], entry);
        line[l.size] = 0;
        return l.size;
}

uint64_t access_content_length(const Request *request)
{
        const char *length = param(request, "CONTENT_LENGTH");
        uint64_t n;

        return length && parse_u64(length, &n) >= 0 ? n : 0;
}

bool access_suppressed(char *const *paths, const Request *request, int status)
{
        const char *method = param(request, "REQUEST_METHOD");

        if (!*paths || !request->name || !method || (!streq(method, "GET") && !streq(method, "HEAD")) ||
            status < 200 || status > 299 || *query(request) || access_content_length(request) > 0)
                return false;
        while (*paths && !streq(*paths, request->name))
                paths++;
        return *paths;
}
