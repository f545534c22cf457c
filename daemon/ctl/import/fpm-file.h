/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The syntax of PHP-FPM's files: sections, "name = value", "name[key] = value". A value is read as PHP's ini
 * scanner does for FPM (zend_ini_scanner.l in its normal mode, one line at a time): quotes, ${VARIABLE}, yes
 * and no, PHP's E_ constants and | & ^ ~ ! ( ) between them. Pure: knows no directive, opens no file.
 *
 * Other than there, an apostrophe that is not closed, and a constant of PHP that is not known here, are
 * errors.
 */

#include "base/util.h"

/* The most parentheses and signs around each other in an expression. */
#define FPM_DEPTH_MAX 32

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

/*
 * Reads a file's text. 0; -EINVAL and *ret_error for wrong syntax; -ENOMEM; or what a function of the reader
 * returned.
 */
int fpm_file_parse(const char *text, size_t size, const FpmReader *reader, FpmError *ret_error);
