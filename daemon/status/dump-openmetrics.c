/* SPDX-License-Identifier: MIT */

/*
 * The status as OpenMetrics 1.0: a metric a figure of the pool, with its name as a label; the workers are
 * not in it. PHP-FPM's metrics keep the names of their samples, which breaks the format where FPM calls them
 * counters: here they are of a type that allows it (status.def).
 */

#include "status/dump-format.h"
#include "status/field.h"

/* In a label's value ("escaped-string" in the specification's grammar). */
static const DumpEscapes escapes = { .special = { { '"', "\\\"" }, { '\\', "\\\\" } } };

static void dump_family(FILE *f, const char *name, const char *type, const char *help)
{
        (void) fprintf(f, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void dump_label(FILE *f, const char *name, const char *value)
{
        (void) fprintf(f, "%s=\"", name);
        dump_string(f, value, strlen(value), &escapes);
        (void) fputc('"', f);
}

static void dump_sample(FILE *f, const StatusField *field, const PoolStatus *status)
{
        (void) fprintf(f, "%s%s{", field->metric, streq(field->metric_type, "counter") ? "_total" : "");
        dump_label(f, "pool", status->pool);
        (void) fprintf(f, "%s%s} ", field->label ? "," : "", field->label ? field->label : "");
        dump_value(f, field, status, &escapes);
        (void) fputc('\n', f);
}

/* The fields that are text, as labels of a metric that is always 1. */
static void dump_info(FILE *f, const PoolStatus *status)
{
        dump_family(f, "phppool", "info", "What the pool is.");
        (void) fputs("phppool_info{", f);
        dump_label(f, "pool", status->pool);
        (void) fputc(',', f);
        dump_label(f, "process_manager", status->process_manager);
        (void) fputc(',', f);
        dump_label(f, "php_version", status->php_version);
        (void) fputs("} 1\n", f);
}

static void openmetrics_begin(Dump *d, const PoolStatus *status)
{
        const StatusField *field = status_shown(pool_fields, status->php_version);
        const char *last = "";

        dump_family(d->f, "phpfpm_up", "gauge", "Could the pool be reached?");
        (void) fputs("phpfpm_up{", d->f);
        dump_label(d->f, "pool", status->pool);
        (void) fputs("} 1\n", d->f);

        for (; field->key; field = status_shown(field + 1, status->php_version)) {
                if (!field->metric)
                        continue;
                if (!streq(field->metric, last))
                        dump_family(d->f, field->metric, field->metric_type, field->help);
                last = field->metric;
                dump_sample(d->f, field, status);
        }
        dump_info(d->f, status);
}

static void openmetrics_worker(Dump *d _unused_, const WorkerStatus *status _unused_)
{
}

static void openmetrics_end(Dump *d)
{
        (void) fputs("# EOF\n", d->f);
}

const DumpOps dump_openmetrics_ops = { openmetrics_begin, openmetrics_worker, openmetrics_end };
