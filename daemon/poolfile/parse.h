/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a pool file (libconfig syntax) into a Config and says everything that is wrong with it. */

#include <stdio.h>

#include "config/config.h"

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

/*
 * Reads the file. Every error in values is collected, not only the first; syntax ends at the first error. A
 * missing file is an error. 0 and *ret; -EINVAL and at least one error more in *errors; or -ENOMEM.
 *
 * In the Config of a dynamic pool, what the file leaves out fits what it says (check.c), and
 * pm_start_servers is never 0.
 */
int config_parse_file(const char *path, Config **ret, ConfigErrors *errors);

/*
 * The same for whoever runs the pool, or says whether it can run: php_version in the Config is that of a PHP
 * which is installed, also where the file names none; and it is an error where it is not.
 */
int config_parse_pool(const char *path, Config **ret, ConfigErrors *errors);

/* As config_parse_file(), for text in memory; name stands for the file in errors. */
int config_parse_string(const char *name, const char *text, Config **ret, ConfigErrors *errors);

/* Writes every setting as "key = value;", in the order of settings.def; those that do nothing yet say so. */
void config_dump(const Config *config, FILE *f);
