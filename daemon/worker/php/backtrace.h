/* SPDX-License-Identifier: MIT */
#pragma once

/* Where a script is, seen from another process: the slow log's backtrace. See backtrace.c. */

#include "base/util.h"

/* The most frames of a backtrace, and the most bytes of its text; what is beyond is left out. */
#define BACKTRACE_DEPTH_MAX 512
#define BACKTRACE_TEXT_MAX (56 * 1024)

typedef struct Backtrace {
        char text[BACKTRACE_TEXT_MAX]; /* "" for none; see backtrace_read() */
        size_t n_frames;               /* lines of it */
        size_t n_calls;                /* system calls that it took */
        bool settled;                  /* the stack was the same before and after it was read */
} Backtrace;

/*
 * Reads the stack of PHP in a process that was forked from this one, or from which this one was forked,
 * since PHP started: memory is a descriptor of its /proc/PID/mem. The process runs meanwhile and is not
 * disturbed.
 *
 * A frame is a line, the innermost first, without a line break behind the last:
 *
 *         [0x00007f4c2a8133a0] Shop\Cart->total() /srv/shop/cart.php:42
 *
 * as PHP-FPM writes it, with the class: the function, and the place from which it was called. Included files
 * and eval() are [INCLUDE_OR_EVAL](). A script that is in no function, and so has no frame, gets one, named
 * {main}(), with the line that PHP noted last. All is UTF-8 and printable.
 *
 * 0; -ENODATA when PHP runs nothing there; -ESRCH when the process is gone; -EFAULT, -ENOMEM. *ret is the
 * caller's, to be freed.
 */
int backtrace_read(int memory, size_t depth, Backtrace **ret);

void backtrace_free(Backtrace *backtrace);
DEFINE_CLEANUP(Backtrace *, backtrace_free)
