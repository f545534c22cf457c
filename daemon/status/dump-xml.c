/* SPDX-License-Identifier: MIT */

/* The status as XML: an element a field, named by its key. */

#include "status/dump-format.h"
#include "status/field.h"

static void dump_element(FILE *f, const StatusField *field, const void *status)
{
        DumpEscapes escapes = dump_markup_escapes;

        escapes.epoch = true;
        (void) fprintf(f, "<%s>", field->key);
        dump_value(f, field, status, &escapes);
        (void) fprintf(f, "</%s>", field->key);
}

static void xml_begin(Dump *d, const PoolStatus *status)
{
        const StatusField *field = status_shown(pool_fields, status->php_version);

        (void) fputs("<?xml version=\"1.0\" ?>\n<status>\n", d->f);
        for (; field->key; field = status_shown(field + 1, status->php_version)) {
                dump_element(d->f, field, status);
                (void) fputc('\n', d->f);
        }
        if (d->full)
                (void) fputs("<processes>\n", d->f);
}

static void xml_worker(Dump *d, const WorkerStatus *status)
{
        (void) fputs("<process>", d->f);
        for (const StatusField *field = worker_fields; field->key; field++)
                dump_element(d->f, field, status);
        (void) fputs("</process>\n", d->f);
}

static void xml_end(Dump *d)
{
        (void) fprintf(d->f, "%s</status>", d->full ? "</processes>\n" : "");
}

const DumpOps dump_xml_ops = { xml_begin, xml_worker, xml_end };
