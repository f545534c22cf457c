/* SPDX-License-Identifier: MIT */

/*
 * The status as JSON (RFC 8259), to the byte as PHP-FPM writes it, and what fpm_get_status() returns: its
 * own keys, the query string as a member of its own, and nothing that PHP-FPM's has not.
 */

#include "status/dump-format.h"
#include "status/field.h"

static const DumpEscapes escapes = {
        .control = "\\u%04x",
        .special = { { '"', "\\\"" }, { '\\', "\\\\" }, { '/', "\\/" } },
        .epoch = true,
};

static void dump_text(FILE *f, const char *s, size_t n)
{
        (void) fputc('"', f);
        dump_string(f, n > 0 ? s : "-", MAX(n, (size_t) 1), &escapes);
        (void) fputc('"', f);
}

static void dump_key(const Dump *d, const StatusField *field)
{
        (void) fputc('"', d->f);
        if (d->format != DUMP_FUNCTION)
                dump_name(d->f, field);
        else
                (void) fputs(field->function ? field->function : field->key, d->f);
        (void) fputs("\":", d->f);
}

/* "/page" and "a=1" of "/page?a=1". */
static void dump_split_uri(const Dump *d, const char *uri)
{
        size_t path = strcspn(uri, "?");
        const char *query = uri[path] ? uri + path + 1 : "";

        dump_text(d->f, uri, path);
        (void) fputs(",\"query-string\":\"", d->f);
        dump_string(d->f, query, strlen(query), &escapes);
        (void) fputc('"', d->f);
}

static void dump_members(const Dump *d, const StatusField *fields, const void *status,
                         const char *php_version)
{
        const StatusField *field = status_shown(fields, php_version);

        for (; field->key; field = status_shown(field + 1, php_version)) {
                if (d->format == DUMP_FUNCTION && field->origin == STATUS_OWN)
                        continue;
                if (field != fields)
                        (void) fputc(',', d->f);
                dump_key(d, field);
                if (d->format == DUMP_FUNCTION && field->kind == STATUS_URI)
                        dump_split_uri(d, status_string(field, status));
                else if (status_is_string(field)) {
                        const char *s = status_string(field, status);

                        dump_text(d->f, s, strlen(s));
                } else
                        dump_value(d->f, field, status, &escapes);
        }
}

static void json_begin(Dump *d, const PoolStatus *status)
{
        (void) fputc('{', d->f);
        dump_members(d, pool_fields, status, status->php_version);
        if (d->full)
                (void) fprintf(d->f, ", \"%s\":[", d->format == DUMP_FUNCTION ? "procs" : "processes");
}

static void json_worker(Dump *d, const WorkerStatus *status)
{
        (void) fputs(d->n_workers > 0 ? ",{" : "{", d->f);
        dump_members(d, worker_fields, status, "");
        (void) fputc('}', d->f);
}

static void json_end(Dump *d)
{
        (void) fputs(d->full ? "]}" : "}", d->f);
}

const DumpOps dump_json_ops = { json_begin, json_worker, json_end };
