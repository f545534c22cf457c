/* SPDX-License-Identifier: MIT */

/*
 * What the status page's formats share: which one is asked for, the head of the answer, and the values. A
 * format itself is in dump-NAME.c. Strings are clients' words: only dump_string() writes them.
 */

#include "status/dump.h"

#include <inttypes.h>
#include <time.h>

#include "base/parse.h"
#include "base/utf8.h"
#include "status/dump-format.h"

/* The names' spelling is PHP's. */
#define HEADERS(type)                                                                                       \
        "Expires: Thu, 01 Jan 1970 00:00:00 GMT\r\n"                                                        \
        "Cache-Control: no-cache, no-store, must-revalidate, max-age=0\r\n"                                 \
        type "\r\n\r\n"

static const struct {
        const char *name; /* in a query */
        const char *headers;
        const DumpOps *ops;
} formats[] = {
        [DUMP_TEXT] = { NULL, HEADERS("Content-type: text/plain;charset=UTF-8"), &dump_text_ops },
        [DUMP_HTML] = { "html", HEADERS("Content-type: text/html;charset=UTF-8"), &dump_html_ops },
        [DUMP_XML] = { "xml", HEADERS("Content-type: text/xml;charset=UTF-8"), &dump_xml_ops },
        [DUMP_JSON] = { "json", HEADERS("Content-Type: application/json"), &dump_json_ops },
        [DUMP_OPENMETRICS] = { "openmetrics",
                               HEADERS("Content-Type: application/openmetrics-text; version=1.0.0; "
                                       "charset=utf-8"),
                               &dump_openmetrics_ops },
        [DUMP_FUNCTION] = { NULL, HEADERS("Content-Type: application/json"), &dump_json_ops },
};
static_assert(ELEMENTSOF(formats) == _DUMP_FORMAT_MAX, "every format is in the table");

const StatusField pool_fields[] = {
#define POOL_STATUS(o, f, k, t, mt, m, l, h)                                                                \
        { .origin = STATUS_##o, .offset = offsetof(PoolStatus, f), .key = k, .kind = STATUS_##t,            \
          .metric_type = mt, .metric = m, .label = l, .help = h },
#include "status/status.def"
        {},
};

const StatusField worker_fields[] = {
#define WORKER_STATUS(o, f, k, t, x, fn)                                                                    \
        { .origin = STATUS_##o, .offset = offsetof(WorkerStatus, f), .key = k, .kind = STATUS_##t,          \
          .text = x,                                                                                        \
          .function = fn },
#include "status/status.def"
        {},
};

const DumpEscapes dump_markup_escapes = {
        .control = "?",
        .special = { { '<', "&lt;" },
                     { '>', "&gt;" },
                     { '&', "&amp;" },
                     { '"', "&quot;" } }, /* no apostrophe, as in PHP-FPM: values stand in no attribute */
};

bool status_shows(const char *php_version, StatusOrigin origin)
{
        return origin != STATUS_FPM_8_4 || version_at_least(php_version, 8, 4);
}

const StatusField *status_shown(const StatusField *field, const char *php_version)
{
        while (field->key && !status_shows(php_version, field->origin))
                field++;
        return field;
}

/* Whether a query has a parameter of this name, with or without a value. */
static bool query_has(const char *query, const char *name)
{
        size_t n = strlen(name);

        for (const char *p = query; *p; p += strspn(p, "&")) {
                size_t size = strcspn(p, "&");

                if (size >= n && memcmp(p, name, n) == 0 && (size == n || p[n] == '='))
                        return true;
                p += size;
        }
        return false;
}

DumpFormat dump_format_of_query(const char *query, bool *ret_full)
{
        *ret_full = query && query_has(query, "full");
        for (DumpFormat i = 0; query && i < _DUMP_FORMAT_MAX; i++)
                if (formats[i].name && query_has(query, formats[i].name))
                        return i;
        return DUMP_TEXT;
}

const char *dump_headers(DumpFormat format)
{
        return formats[format].headers;
}

/* XML 1.0, section 2.2: neither can stand in it. */
static bool is_nonchar(uint32_t code)
{
        return code == 0xfffe || code == 0xffff;
}

static const char *find_special(const DumpEscapes *e, uint32_t code)
{
        for (size_t i = 0; i < ELEMENTSOF(e->special) && e->special[i].character; i++)
                if ((unsigned char) e->special[i].character == code)
                        return e->special[i].text;
        return NULL;
}

void dump_string(FILE *f, const char *s, size_t n, const DumpEscapes *escapes)
{
        while (n > 0) {
                const char *special;
                uint32_t code = 0;
                size_t k;

                k = utf8_decode(s, n, &code);
                special = k > 0 ? find_special(escapes, code) : NULL;
                if (k == 0 || is_nonchar(code))
                        (void) fputc('?', f);
                else if (special)
                        (void) fputs(special, f);
                else if (code >= 0x20 && (code < 0x7f || code > 0x9f))
                        (void) fwrite(s, 1, k, f);
                else if (*escapes->control == '\\')
                        (void) fprintf(f, "\\u%04x", (unsigned) code);
                else
                        (void) fputs(escapes->control, f);
                k = MAX(k, (size_t) 1);
                s += k;
                n -= k;
        }
}

static void dump_time(FILE *f, usec_t t, bool epoch)
{
        time_t seconds = (time_t) (t / USEC_PER_SEC);
        char buffer[64];
        struct tm tm;

        if (!epoch && localtime_r(&seconds, &tm) &&
            strftime(buffer, sizeof buffer, "%d/%b/%Y:%H:%M:%S %z", &tm) > 0)
                (void) fputs(buffer, f);
        else
                (void) fprintf(f, "%" PRIu64, (uint64_t) (t / USEC_PER_SEC));
}

const char *status_string(const StatusField *field, const void *status)
{
        const char *s = *(const char *const *) ((const char *) status + field->offset);

        return s && *s ? s : "-";
}

void dump_value(FILE *f, const StatusField *field, const void *status, const DumpEscapes *escapes)
{
        const char *s;
        uint64_t n;

        if (status_is_string(field)) {
                s = status_string(field, status);
                dump_string(f, s, strlen(s), escapes);
                return;
        }

        n = *(const uint64_t *) ((const char *) status + field->offset);
        switch (field->kind) {
        case STATUS_TIME:
                dump_time(f, n, escapes->epoch);
                break;
        case STATUS_PERCENT:
                (void) fprintf(f, "%" PRIu64 ".%02" PRIu64, n / 100, n % 100);
                break;
        case STATUS_SINCE:
                n /= USEC_PER_SEC;
                _fallthrough_;
        default:
                (void) fprintf(f, "%" PRIu64, n);
        }
}

void dump_name(FILE *f, const StatusField *field)
{
        for (const char *p = field->key; *p; p++)
                (void) fputc(*p == '-' ? ' ' : *p, f);
}

void dump_begin(Dump *d, const PoolStatus *status)
{
        formats[d->format].ops->begin(d, status);
}

void dump_worker(Dump *d, const WorkerStatus *status)
{
        if (!d->full)
                return;
        formats[d->format].ops->worker(d, status);
        d->n_workers++;
}

void dump_end(Dump *d)
{
        formats[d->format].ops->end(d);
}
