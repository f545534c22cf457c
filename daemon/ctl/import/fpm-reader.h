/* SPDX-License-Identifier: MIT */
#pragma once

/* Who is told what stands in a file of PHP-FPM's, and what is wrong with it. */

#include "base/util.h"

/* Who reads the file. Each function returns 0, or a negative value that ends it and is returned. */
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
