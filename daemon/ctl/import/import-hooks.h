/* SPDX-License-Identifier: MIT */
#pragma once

/* php-poolctl import: scripts of the machine that reload or restart PHP-FPM. */

#include "base/util.h"

/*
 * Looks for them where they usually are, below root, "" for /, and says each line of one on standard error,
 * with what to write. How many there are; or -errno.
 */
int import_print_hooks(const char *root);
