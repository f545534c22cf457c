/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The one writer of JSON (RFC 8259): a value a call, on one line. Commas are the writer's affair; matching
 * ends are the caller's. Write errors stay in the stream. Whatever is in the strings, the output is UTF-8.
 */

#include <stdio.h>

#include "base/util.h"

typedef enum JsonStyle {
        /*
         * As systemctl --output=json: every character that is not printable (utf8_is_printable()) is
         * escaped, so that a terminal acts on none. A byte that is not UTF-8 becomes U+FFFD.
         */
        JSON_TERMINAL,
        /*
         * To the byte as PHP-FPM writes its status page: a slash is escaped, of all other characters only
         * the control characters are, by their number. A byte that is not UTF-8 becomes "?", and so do
         * U+FFFE and U+FFFF.
         */
        JSON_FPM,
        _JSON_STYLE_MAX,
} JsonStyle;

/* A document in the making. It starts as { .f = …, .style = … }. */
typedef struct Json {
        FILE *f;
        JsonStyle style;
        const char *separator; /* the text before the next value: NULL for nothing, or with a comma */
} Json;

/*
 * In all of these, name is that of a member of an object, and is escaped like any string. In an array and at
 * the top it is NULL.
 */
void json_begin_object(Json *json, const char *name);
void json_begin_array(Json *json, const char *name);

void json_number(Json *json, const char *name, uint64_t value);

/* 1234 as 12.34 */
void json_hundredths(Json *json, const char *name, uint64_t value);

/* NULL becomes null. */
void json_string(Json *json, const char *name, const char *value);

/* The first size bytes of a string, which is not NULL. */
void json_string_of(Json *json, const char *name, const char *bytes, size_t size);

void json_end_object(Json *json);
void json_end_array(Json *json);

/* Ends the line, once everything is ended. */
void json_end_line(Json *json);
