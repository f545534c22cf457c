/* SPDX-License-Identifier: MIT */
#pragma once

/* Pool files as texts. */

#include "poolfile/parse.h"

/* The name of a pool file in errors. */
#define NAME "pool.conf"

/* All errors as text, each without the file's name in front where it is name. The caller frees it. */
char *errors_text(const ConfigErrors *errors, const char *name);

/* Reads a text that has to be good. */
Config *parse(const char *text);

/* What config_dump() writes; the caller frees it. */
char *dump(const Config *config);

/* Both have the same values, or those of a pool file that says nothing. */
void assert_same(const Config *a, const Config *b);
void assert_default(const Config *config);

/* Reads a text that has to be refused with just these errors, one a line. */
void assert_refused(const char *text, const char *expected);
