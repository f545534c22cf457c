/* SPDX-License-Identifier: MIT */

/* The status as HTML: a table of the pool, a table of its workers. */

#include "status/dump-format.h"
#include "status/field.h"

#define DOCTYPE                                                                                             \
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" "                                       \
        "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\n"

static void html_begin(Dump *d, const PoolStatus *status)
{
        const StatusField *field = status_shown(pool_fields, status->php_version);
        char name[DUMP_NAME_MAX];

        (void) fputs(DOCTYPE "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n"
                             "<head><title>PHP Pool Status Page</title></head>\n"
                             "<body>\n<table>\n",
                     d->f);
        for (; field->key; field = status_shown(field + 1, status->php_version)) {
                (void) fputs("<tr><th>", d->f);
                (void) fputs(dump_name(field, name), d->f);
                (void) fputs("</th><td>", d->f);
                dump_value(d->f, field, status, &dump_markup_escapes);
                (void) fputs("</td></tr>\n", d->f);
        }
        (void) fputs("</table>\n", d->f);
        if (!d->full)
                return;

        (void) fputs("<table border=\"1\">\n<tr>", d->f);
        for (field = worker_fields; field->key; field++) {
                (void) fputs("<th>", d->f);
                (void) fputs(dump_name(field, name), d->f);
                (void) fputs("</th>", d->f);
        }
        (void) fputs("</tr>\n", d->f);
}

static void html_worker(Dump *d, const WorkerStatus *status)
{
        (void) fputs("<tr>", d->f);
        for (const StatusField *field = worker_fields; field->key; field++) {
                (void) fputs("<td>", d->f);
                dump_value(d->f, field, status, &dump_markup_escapes);
                (void) fputs("</td>", d->f);
        }
        (void) fputs("</tr>\n", d->f);
}

static void html_end(Dump *d)
{
        (void) fprintf(d->f, "%s</body></html>", d->full ? "</table>" : "");
}

const DumpOps dump_html_ops = { html_begin, html_worker, html_end };
