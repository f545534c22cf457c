/* SPDX-License-Identifier: MIT */
#pragma once

/* The reader of a file of PHP-FPM's, as the parser calls it. */

#include "base/util.h"

/* Calls of the parser. A function returns 0, or a negative value, which ends the parsing and is returned. */
typedef struct FpmReader {
        int (*on_section)(unsigned line, const char *name, void *userdata);
        /* key is NULL where there are no brackets; name is without them. */
        int (*on_entry)(unsigned line, const char *name, const char *key, const char *value, void *userdata);
        /* The variable's value, or NULL where it is not set. */
        const char *(*get_variable)(unsigned line, const char *name, void *userdata);
        void *userdata;
        const char *php_version; /* whose constants count, "8.4"; NULL or "": those of the latest PHP */
} FpmReader;

typedef struct FpmError {
        unsigned line;
        char text[160]; /* without full stop */
} FpmError;
