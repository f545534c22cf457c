/* SPDX-License-Identifier: MIT */
#pragma once

/* Between fpm-file.c, which reads lines, and fpm-value.c, which reads what stands behind the "=" of one. */

#include "ctl/import/fpm-file.h"

#define BLANKS " \t"

/* At p, in a line, which ends with a zero byte. */
typedef struct Scanner {
        const FpmReader *reader;
        FpmError *error;
        const char *p;
        unsigned line;
        unsigned depth; /* of an expression */
} Scanner;

static inline void skip_blanks(Scanner *s)
{
        s->p += strspn(s->p, BLANKS);
}

/* Whether only a comment may follow. */
static inline bool at_end(const Scanner *s)
{
        return !*s->p || *s->p == ';';
}

/* Says what is wrong with the line; returns -EINVAL. */
int scan_fail(const Scanner *s, const char *format, ...) _printf_(2, 3);

/* Reads a value up to the line's end, a new string. 0, -EINVAL or -ENOMEM. */
int scan_value(Scanner *s, char **ret);
