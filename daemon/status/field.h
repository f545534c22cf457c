/* SPDX-License-Identifier: MIT */
#pragma once

/* status.def as tables, and how a value is written: for code that shows a status field by field. */

#include <stdio.h>

#include "base/json.h"
#include "status/status.h"

/* The type of a field's value. */
typedef enum StatusKind {
        STATUS_STRING,
        STATUS_URI, /* a string */
        STATUS_COUNT,
        STATUS_PERCENT, /* in hundredths */
        STATUS_TIME,    /* CLOCK_REALTIME */
        STATUS_SINCE,   /* an interval that PHP-FPM has in seconds */
        STATUS_USEC,    /* another interval */
} StatusKind;

static inline bool status_kind_is_string(StatusKind kind)
{
        return kind == STATUS_STRING || kind == STATUS_URI;
}

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

/* How a format that is not JSON writes what must not stand in it as it is. A control character is "?". */
typedef struct DumpEscapes {
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

/* The number of any other field, as it is in the struct. */
uint64_t status_number(const StatusField *field, const void *status);

/*
 * Writes a number of the status as JSON, in PHP-FPM's units: seconds for a point in time and for an interval
 * that PHP-FPM has in seconds, microseconds for another interval.
 */
void status_write_json(Json *json, const char *name, StatusKind kind, uint64_t number);

/* The longest name of a field, with its zero. */
#define DUMP_NAME_MAX 64

/* Writes a field's key with spaces in place of hyphens to buffer[DUMP_NAME_MAX], and returns that. */
const char *dump_name(const StatusField *field, char *buffer);
