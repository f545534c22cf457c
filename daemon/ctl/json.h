/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Writes JSON (RFC 8259) on one line, as systemctl --output=json does, and nothing that a terminal acts on.
 * Commas are the writer's affair; matching ends are the caller's. Write errors stay in the stream.
 */

#include <stdio.h>

#include "base/util.h"

typedef struct Json {
        FILE *f;
        bool comma; /* something stands before, in the same object or array */
} Json;

/* The name of a member, or NULL in an array and at the top, for all of the following. */
void json_begin_object(Json *json, const char *name);
void json_begin_array(Json *json, const char *name);
void json_end_object(Json *json);
void json_end_array(Json *json);
/* Ends the line, once everything is ended. */
void json_end_line(Json *json);

void json_number(Json *json, const char *name, uint64_t value);

/* 1234 as 12.34 */
void json_hundredths(Json *json, const char *name, uint64_t value);

/* Bytes that are not UTF-8 become U+FFFD, each one; NULL becomes null. */
void json_string(Json *json, const char *name, const char *value);
