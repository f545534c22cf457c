/* SPDX-License-Identifier: MIT */
#pragma once

/* status.def as tables, and how a value is written: for who shows a status field by field. */

#include <stdio.h>

#include "status/status.h"

typedef enum StatusKind {
        STATUS_STRING,
        STATUS_URI,
        STATUS_COUNT,
        STATUS_PERCENT,
        STATUS_TIME,
        STATUS_SINCE,
        STATUS_USEC,
} StatusKind;

/* A line of status.def. */
typedef struct StatusField {
        StatusOrigin origin;
        size_t offset;
        const char *key;
        StatusKind kind;
        const char *metric_type, *metric, *label, *help; /* of the pool's */
        const char *text, *function;                     /* of the workers' */
} StatusField;

/* Each ends with a field without a key. */
extern const StatusField pool_fields[];
extern const StatusField worker_fields[];

/* This field, or the first behind it that a pool of this PHP shows: status_shows(). */
const StatusField *status_shown(const StatusField *field, const char *php_version);

/* How a format writes what must not stand in it as it is. */
typedef struct DumpEscapes {
        const char *control; /* a control character: a format for its number, or "?" */
        struct {
                char character;
                const char *text;
        } special[6]; /* ends with a zero */
        bool epoch; /* points in time are seconds since 1970 */
} DumpEscapes;

/* HTML and XML. */
extern const DumpEscapes dump_markup_escapes;

/* The first n bytes of a string; what is not UTF-8 or a character of XML comes out as "?". */
void dump_string(FILE *f, const char *s, size_t n, const DumpEscapes *escapes);

/* A field's value out of the struct, "-" for an empty string. */
void dump_value(FILE *f, const StatusField *field, const void *status, const DumpEscapes *escapes);

/* The same for a string alone, never NULL. */
const char *status_string(const StatusField *field, const void *status);

static inline bool status_is_string(const StatusField *field)
{
        return field->kind == STATUS_STRING || field->kind == STATUS_URI;
}

/* A field's key with spaces in place of hyphens. */
void dump_name(FILE *f, const StatusField *field);
