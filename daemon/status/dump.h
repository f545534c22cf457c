/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The status page: a pool and its workers (status.h) as text, HTML, XML, JSON or OpenMetrics, as PHP-FPM has
 * them. Pure: a status in, bytes out. Whatever is in the strings, the page is well-formed and UTF-8.
 */

#include "status/dump-format.h"

/*
 * The format that a query string asks for, by FPM's rules: the names of its parameters count, with "full"
 * the workers are asked for. NULL is an empty one.
 */
DumpFormat dump_format_of_query(const char *query, bool *ret_full);

/*
 * The head of an answer with a page in this format, up to and with its empty line. For other answers that
 * no cache may keep, the ping's and refusals, it is the head of the format for plain text.
 */
const char *dump_headers(DumpFormat format);

/* One call of dump_begin(), one of dump_worker() for each worker (nothing without full), one of dump_end().
 */
void dump_begin(Dump *dump, const PoolStatus *status);
void dump_worker(Dump *dump, const WorkerStatus *status);
void dump_end(Dump *dump);
