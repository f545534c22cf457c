/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Where the reader of a file is: of lines (fpm-file.c), and of what stands behind the "=" of one
 * (fpm-value.c).
 */

#include "ctl/import/fpm-reader.h"

/* The most parentheses and signs around each other in an expression. */
#define FPM_DEPTH_MAX 32

#define BLANKS " \t"

/* At p, in a line, which ends with a zero byte. */
typedef struct FpmScanner {
        const FpmReader *reader;
        FpmError *error;
        const char *p;
        unsigned line;
        unsigned depth; /* of an expression */
} FpmScanner;

static inline void skip_blanks(FpmScanner *s)
{
        s->p += strspn(s->p, BLANKS);
}

/* Whether only a comment may follow. */
static inline bool at_end(const FpmScanner *s)
{
        return !*s->p || *s->p == ';';
}

/* Says what is wrong with the line; returns -EINVAL. */
int fpm_scan_fail(const FpmScanner *s, const char *format, ...) _printf_(2, 3);
