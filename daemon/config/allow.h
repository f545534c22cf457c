/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The values that the types of text in settings.def allow. Pure: nothing here looks whether a file exists.
 */

#include "base/util.h"

/* "" or a string that starts with "/". */
bool allow_path(const char *s);

/* The same without "". */
bool allow_absolute_path(const char *s);

/* Paths separated by ":", each absolute or empty; PHP takes an empty one for its built-in directory. */
bool allow_search_path(const char *s);

/* "off", "journal" or an absolute path. */
bool allow_log_target(const char *s);

/* "" or a version as php_version_valid() has it. */
bool allow_php_version(const char *s);

/* "." and at least one more character, none of them "/". */
bool allow_extension(const char *s);

/* A network that network_parse() reads. */
bool allow_network(const char *s);

/*
 * "name=value": the name is not empty and without space, the value may be empty, neither has control
 * characters (the value may have tabs), so that one line never becomes two.
 */
bool allow_ini_line(const char *s);
