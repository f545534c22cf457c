/* SPDX-License-Identifier: MIT */
#pragma once

/* Reads a pool file (libconfig syntax) into a Config and says everything that is wrong with it. */

#include "config/config.h"
#include "poolfile/errors.h"

/*
 * Reads the file. Every error in values is collected, not only the first; syntax ends at the first error. A
 * missing file is an error. 0 and *ret; -EINVAL and at least one error more in *errors; or -ENOMEM.
 *
 * In the Config of a dynamic pool, what the file leaves out fits what it says (check.c), and
 * pm_start_servers is never 0.
 */
int config_parse_file(const char *path, Config **ret, ConfigErrors *errors);

/*
 * The same for a program that runs the pool, or says whether it can run: php_version in the Config is that
 * of a PHP which is installed, also where the file names none. Where it is not installed, that is an
 * error.
 */
int config_parse_pool(const char *path, Config **ret, ConfigErrors *errors);

/* As config_parse_file(), for text in memory; name stands for the file in errors. */
int config_parse_string(const char *name, const char *text, Config **ret, ConfigErrors *errors);
