/* SPDX-License-Identifier: MIT */
#pragma once

/* Guesses what the author of a pool file meant by a word that is no setting. */

#include "base/util.h"

/* Bytes of a buffer for a hint, and of the longest name or line that is looked at. */
#define HINT_SIZE_MAX 256
#define HINT_INPUT_MAX 128

/*
 * For a path that is no setting's and no group's: "; did you mean pm.max_children?", or where PHP-FPM's
 * directive of this name is here. Empty where nothing comes to mind. Returns the buffer of HINT_SIZE_MAX
 * bytes.
 */
const char *hint_unknown(const char *path, char *buffer);

/* Only where PHP-FPM's directive of this name is here. */
const char *hint_fpm(const char *name, char *buffer);

/* A hint for a line at which libconfig saw a syntax error: mistakes that are usual after PHP-FPM. */
const char *hint_syntax(const char *line, char *buffer);
