/* SPDX-License-Identifier: MIT */

/*
 * The status as JSON, to the byte as PHP-FPM writes it, and what fpm_get_status() returns: its own keys, the
 * query string as a member of its own, and nothing that PHP-FPM's has not.
 */

#include "status/dump-format.h"
#include "status/field.h"

/* "/page" and "a=1" of "/page?a=1". */
static void write_split_uri(Json *json, const char *name, const char *uri)
{
        size_t path = strcspn(uri, "?");

        json_string_of(json, name, path > 0 ? uri : "-", MAX(path, (size_t) 1));
        json_string(json, "query-string", uri[path] ? uri + path + 1 : "");
}

static void write_field(Dump *d, const StatusField *field, const void *status)
{
        char buffer[DUMP_NAME_MAX];
        const char *name = dump_name(field, buffer);

        if (d->format == DUMP_FUNCTION)
                name = field->function ?: field->key;

        if (!status_kind_is_string(field->kind))
                status_write_json(&d->json, name, field->kind, status_number(field, status));
        else if (d->format == DUMP_FUNCTION && field->kind == STATUS_URI)
                write_split_uri(&d->json, name, status_string(field, status));
        else
                json_string(&d->json, name, status_string(field, status));
}

static void write_fields(Dump *d, const StatusField *fields, const void *status, const char *php_version)
{
        const StatusField *field = status_shown(fields, php_version);

        for (; field->key; field = status_shown(field + 1, php_version))
                if (d->format != DUMP_FUNCTION || field->origin != STATUS_OWN)
                        write_field(d, field, status);
}

static void json_begin(Dump *d, const PoolStatus *status)
{
        d->json = (Json){ .f = d->f, .style = JSON_FPM };
        json_begin_object(&d->json, NULL);
        write_fields(d, pool_fields, status, status->php_version);
        if (!d->full)
                return;
        d->json.separator = ", "; /* this one has a space in PHP-FPM */
        json_begin_array(&d->json, d->format == DUMP_FUNCTION ? "procs" : "processes");
}

static void json_worker(Dump *d, const WorkerStatus *status)
{
        json_begin_object(&d->json, NULL);
        write_fields(d, worker_fields, status, "");
        json_end_object(&d->json);
}

static void json_end(Dump *d)
{
        if (d->full)
                json_end_array(&d->json);
        json_end_object(&d->json);
}

const DumpOps dump_json_ops = { json_begin, json_worker, json_end };
