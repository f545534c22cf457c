/* SPDX-License-Identifier: MIT */
#pragma once

/* New strings: from a format, printed piece by piece, or made safe for a terminal. */

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

/* vasprintf(3), but *ret is NULL where it fails. 0 or -ENOMEM. */
int text_vformat(char **ret, const char *format, va_list ap) _printf_(2, 0);

/* The same with its arguments. */
int text_format(char **ret, const char *format, ...) _printf_(2, 3);

/*
 * Writes text of others so that it does nothing to a terminal and cannot be taken for other text: bytes
 * that are not printable, or no UTF-8, are written as utf8_escape() writes them.
 */
void text_write_escaped(FILE *f, const char *bytes, size_t size, bool lines);

/* The same, without lines, as a new string. 0 or -ENOMEM. */
int text_escape(const char *text, char **ret);

/* A string in the making: text_open(), print to f, text_close(). */
typedef struct Text {
        FILE *f;
        char *string;
        size_t size;
} Text;

/* 0 or -ENOMEM; then there is nothing to close. */
int text_open(Text *t);

/*
 * Closes it. 0, and *ret is the string, which the caller frees. Or r where that is negative, or -ENOMEM: the
 * string is freed then.
 */
int text_close(Text *t, int r, char **ret);

/* Frees a list of strings, which NULL ends, and the strings. */
void strv_free(char **list);
DEFINE_CLEANUP(char **, strv_free)
