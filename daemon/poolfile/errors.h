/* SPDX-License-Identifier: MIT */
#pragma once

/* How this layer fills the ConfigErrors that parse.h declares. */

#include "poolfile/parse.h"

/* All errors so far. */
static inline size_t config_errors_count(const ConfigErrors *errors)
{
        return errors->n + errors->n_dropped;
}

/* Adds an error; strings are copied, key may be NULL. 0 or -ENOMEM: only the lack of memory ends a check. */
int config_errors_add(ConfigErrors *errors, const char *file, unsigned line, const char *key,
                      const char *format, ...) _printf_(5, 6);
