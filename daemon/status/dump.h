/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The status page: a pool and its workers (status.h) as text, HTML, XML, JSON or OpenMetrics, as PHP-FPM has
 * them. Pure: a status in, bytes out. Whatever is in the strings, the page is well-formed and UTF-8.
 */

#include <stdio.h>

#include "status/status.h"

typedef enum DumpFormat {
        DUMP_TEXT,
        DUMP_HTML,
        DUMP_XML,
        DUMP_JSON,
        DUMP_OPENMETRICS,
        DUMP_FUNCTION, /* what fpm_get_status() returns, as JSON; no query asks for it */
        _DUMP_FORMAT_MAX,
} DumpFormat;

/*
 * The format that a query string asks for, by FPM's rules: the names of its parameters count, with "full"
 * the workers are asked for. NULL is an empty one.
 */
DumpFormat dump_format_of_query(const char *query, bool *ret_full);

/*
 * The head of an answer with a page in this format, up to and with its empty line; and of any other that
 * nobody may keep, as plain text: the ping's, a refusal.
 */
const char *dump_headers(DumpFormat format);

/* A page in the making. Whether the file took it all, ferror(3) says. */
typedef struct Dump {
        FILE *f;
        DumpFormat format;
        bool full;        /* with its workers */
        size_t n_workers; /* so far */
} Dump;

/* One call of dump_begin(), one of dump_worker() for each worker (nothing without full), one of dump_end().
 */
void dump_begin(Dump *dump, const PoolStatus *status);
void dump_worker(Dump *dump, const WorkerStatus *status);
void dump_end(Dump *dump);
