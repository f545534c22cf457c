/* SPDX-License-Identifier: MIT */
#pragma once

/* A process's title: what ps(1) shows instead of its arguments. */

#include "base/util.h"

typedef struct Title {
        char *area; /* where the kernel keeps the arguments and the environment */
        size_t size;
} Title;

/*
 * Takes the memory of argv and environ for titles, after which argv must not be used any more; environ is
 * moved elsewhere. Call it once, first. 0 or -ENOMEM.
 */
int title_init(int argc, char **argv, Title *ret);

/* Shows another title, cut to fit. */
void title_set(const Title *title, const char *format, ...) _printf_(2, 3);
