/* SPDX-License-Identifier: MIT */
#pragma once

/* A format of the status page, as dump.c calls it: each dump-NAME.c is one. */

#include <stdio.h>

#include "base/json.h"
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

/* A page in the making. Whether the file took it all, ferror(3) says. */
typedef struct Dump {
        FILE *f;
        DumpFormat format;
        bool full; /* with its workers */
        Json json; /* the writer, where the format is JSON */
} Dump;

/* One format: how a page begins, a worker in it, and how it ends. */
typedef struct DumpOps {
        void (*begin)(Dump *dump, const PoolStatus *status);
        void (*worker)(Dump *dump, const WorkerStatus *status);
        void (*end)(Dump *dump);
} DumpOps;

extern const DumpOps dump_text_ops;
extern const DumpOps dump_html_ops;
extern const DumpOps dump_xml_ops;
extern const DumpOps dump_json_ops; /* DUMP_FUNCTION as well */
extern const DumpOps dump_openmetrics_ops;
