/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The php.ini settings that a pool starts with, as far as files say them: php.ini, the files beside it,
 * and php.value and php.admin_value of the pool file. No PHP runs for this, so PHP's own defaults are not
 * among them.
 */

#include "config/config.h"

/* Bounds: bytes of a file, above which it is left out, and values in all. */
#define INI_FILE_SIZE_MAX (1024U * 1024U)
#define INI_VALUES_MAX 16384

typedef struct IniValue {
        char *name;
        char *value;        /* NULL for a value with ${VARIABLE} or operators */
        const char *source; /* a file, which belongs to the IniValues; "php.value" or "php.admin_value" */
} IniValue;

typedef struct IniValues {
        IniValue *items;
        size_t n;
        char **files;
        size_t n_files;
        char *error; /* "FILE:LINE: what", of the first file that a reload would be refused for; or NULL */
} IniValues;

void ini_values_clear(IniValues *values);

/*
 * Reads the settings from files below root, "" for /. A file that cannot be read is left out. 0, -E2BIG or
 * -ENOMEM; the caller clears *ret in any case.
 */
int ini_values_load(const char *root, const Config *config, IniValues *ret);

/* The one that counts, or NULL. */
const IniValue *ini_values_find(const IniValues *values, const char *name);

/*
 * The directory in a value of session.save_path, which is "/path", "N;/path" or "N;MODE;/path"; "" where
 * PHP keeps sessions otherwise than in files.
 */
const char *ini_values_session_path(const IniValues *values, const char *value);
