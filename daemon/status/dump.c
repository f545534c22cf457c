/* SPDX-License-Identifier: MIT */

/*
 * The status page: which format is asked for, the head of the answer, and the one table that knows the
 * formats. A format itself is in dump-NAME.c.
 */

#include "status/dump.h"

#include "base/util.h"

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
        assert(format < _DUMP_FORMAT_MAX);
        return formats[format].headers;
}

void dump_begin(Dump *d, const PoolStatus *status)
{
        assert(d->f && d->format < _DUMP_FORMAT_MAX);
        formats[d->format].ops->begin(d, status);
}

void dump_worker(Dump *d, const WorkerStatus *status)
{
        assert(d->f && d->format < _DUMP_FORMAT_MAX);
        if (d->full)
                formats[d->format].ops->worker(d, status);
}

void dump_end(Dump *d)
{
        assert(d->f && d->format < _DUMP_FORMAT_MAX);
        formats[d->format].ops->end(d);
}
