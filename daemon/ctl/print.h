/* SPDX-License-Identifier: MIT */
#pragma once

/* What php-poolctl says to people. All text is escaped: see text_escape(). */

#include <stdio.h>

#include "ctl/ctl.h"

/* The most lines of one text that ctl_fail_lines() shows. */
#define CTL_FAIL_LINES_MAX 64

/* Writes a line to standard output. */
void ctl_print(const char *format, ...) _printf_(1, 2);

/* Begins a terminal's screen anew. */
void ctl_clear_screen(void);

/*
 * ctl_fail() for each line of a text: "BEFORE: LINE", so that no line passes for one of php-poolctl's own.
 */
CtlExit ctl_fail_lines(const char *before, const char *text);

/* ctl_fail() for a manager that runs and does not answer. */
CtlExit ctl_fail_no_answer(const char *pool);

/* ctl_fail() for each of ctl_misnamed_files(); true where there is one. */
bool ctl_fail_misnamed(void);

/*
 * Text of others on its way to a terminal, in pieces that may end anywhere. It starts as { .f = … }. Line
 * breaks and tabs stay.
 */
typedef struct Escaped {
        FILE *f;
        char bytes[4096]; /* the n bytes that are not written yet */
        size_t n;
        char last; /* that was written, or 0 */
} Escaped;

void escaped_write(Escaped *e, const char *bytes, size_t size);

/* Writes the rest, ends the last line if it is not ended, and begins anew. */
void escaped_end_line(Escaped *e);
