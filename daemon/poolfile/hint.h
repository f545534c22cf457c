/* SPDX-License-Identifier: MIT */
#pragma once

/* What somebody may have meant who wrote what is no setting. */

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

/* The second half of it alone. */
const char *hint_fpm(const char *name, char *buffer);

/* For a line at which libconfig saw a syntax error: the usual mistakes of who comes from PHP-FPM. */
const char *hint_syntax(const char *line, char *buffer);
