/* SPDX-License-Identifier: MIT */
#pragma once

/* Makes one text of a pool file and of all that it includes. */

#include "poolfile/errors.h"
#include "poolfile/source.h"

/*
 * Reads the file and what it includes. An included file's relative path starts at the directory of
 * the file that includes it. 0 and *ret, which the caller frees; -EINVAL and an error in *errors; or
 * -ENOMEM.
 */
int source_from_file(const char *path, Source **ret, ConfigErrors *errors);

/* The same for text in memory. */
int source_from_text(const char *name, const char *text, Source **ret, ConfigErrors *errors);
