/* SPDX-License-Identifier: MIT */
#pragma once

/* New strings: from a format, or printed piece by piece. */

#include <stdarg.h>
#include <stdio.h>

#include "base/util.h"

/* vasprintf(3), but *ret is NULL where it fails. 0 or -ENOMEM. */
int text_vformat(char **ret, const char *format, va_list ap) _printf_(2, 0);

/* A string in the making: text_open(), print to f, text_close(). */
typedef struct Text {
        FILE *f;
        char *string;
        size_t size;
} Text;

/* 0 or -ENOMEM; then there is nothing to close. */
int text_open(Text *t);

/*
 * Closes it. *ret is the string, which the caller frees. What is negative, r or -ENOMEM, is returned, and
 * the string is freed then.
 */
int text_close(Text *t, int r, char **ret);
