/* SPDX-License-Identifier: MIT */
#pragma once

/* php-poolctl import: the files of an import, on the disk. */

#include "ctl/import/import.h"

/*
 * Writes the files below the directory output, "" for /, and removes stale ones that the import of the same
 * file wrote; each that was written is named on standard output. Says what is wrong, and then has changed
 * nothing, or says what it changed. Without force, nothing is changed if a file is there, but for pool files
 * that hold only comments.
 */
int import_write_files(const Import *import, const char *output, bool force);

/* Writes to standard output what the files would be. */
void import_print_files(const Import *import, const char *output);
