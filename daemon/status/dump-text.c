/* SPDX-License-Identifier: MIT */

/* The status as text: one line a field, names and values in two columns. */

#include "status/dump-format.h"
#include "status/field.h"

/* Where the values start, at the earliest. */
#define VALUE_COLUMN 22

/* Each value stays on its line. */
static const DumpEscapes escapes = {};

static void dump_fields(FILE *f, const StatusField *fields, const void *status, const char *php_version)
{
        const StatusField *field = status_shown(fields, php_version);
        char name[DUMP_NAME_MAX];

        for (; field->key; field = status_shown(field + 1, php_version)) {
                int width = (int) strlen(field->key) + 1;

                (void) fprintf(f, "%s:%*s", field->text ?: dump_name(field, name),
                               MAX(VALUE_COLUMN - width, 1), "");
                dump_value(f, field, status, &escapes);
                (void) fputc('\n', f);
        }
}

static void text_begin(Dump *d, const PoolStatus *status)
{
        dump_fields(d->f, pool_fields, status, status->php_version);
}

static void text_worker(Dump *d, const WorkerStatus *status)
{
        (void) fputs("\n************************\n", d->f);
        dump_fields(d->f, worker_fields, status, "");
}

static void text_end(Dump *d _unused_)
{
}

const DumpOps dump_text_ops = { text_begin, text_worker, text_end };
