/* SPDX-License-Identifier: MIT */
#pragma once

/* What is wrong with a pool file: a list that its readers fill and that their caller shows. */

#include "base/util.h"

/* The most errors that are kept. */
#define CONFIG_ERRORS_MAX 1000

/* One thing that is wrong. */
typedef struct ConfigError {
        char *file;
        unsigned line; /* 0 where the error belongs to no line: the file cannot be read */
        char *key;  /* path of the setting, "php.value[1]" for an element; NULL for the file or its syntax */
        char *text; /* without full stop: "must be a whole number from 1 to 4096, not 0" */
} ConfigError;

/* Zero it before the first use. */
typedef struct ConfigErrors {
        ConfigError *items;
        size_t n;
        size_t n_dropped; /* beyond CONFIG_ERRORS_MAX; the last item says that there are such */
} ConfigErrors;

void config_errors_clear(ConfigErrors *errors);

/* "FILE:LINE: KEY: text", leaving out what an error does not have, into a new string. 0 or -ENOMEM. */
int config_error_format(const ConfigError *error, char **ret);

/* All of them in one new string, a line each. NULL for none, or without memory. */
char *config_errors_format(const ConfigErrors *errors);

/* ---- For this layer, which fills it ---- */

/* All errors so far. */
static inline size_t config_errors_count(const ConfigErrors *errors)
{
        return errors->n + errors->n_dropped;
}

/* Adds an error; strings are copied, key may be NULL. 0 or -ENOMEM: only the lack of memory ends a check. */
int config_errors_add(ConfigErrors *errors, const char *file, unsigned line, const char *key,
                      const char *format, ...) _printf_(5, 6);
