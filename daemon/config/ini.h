/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether text is ini syntax to PHP, without PHP: php.ini, the files beside it, and the lines of php.value
 * and php.admin_value. Pure. The rules are those of zend_ini_scanner.l, in its normal mode, and
 * zend_ini_parser.y of PHP; a test holds this against libphp.
 *
 * Stricter in three things: an apostrophe that is not closed, behind which PHP reads on past the end of the
 * text; parentheses and fallbacks that are too deep; and a "]" in a name, which PHP 8.2 takes and later ones
 * do not. Where ${NAME:-fallback} is written, the rules are those of 8.3 and later ones.
 */

#include "base/util.h"

/* The most parentheses around each other. */
#define INI_DEPTH_MAX 1000

typedef struct IniError {
        unsigned line;
        char text[160]; /* without full stop */
} IniError;

/*
 * An entry: its name, and the value as PHP would have it, except that a constant is its own name. The
 * value is NULL where it depends on ${VARIABLE} or has operators, and where there is a name alone. section
 * is the name of the "[section]" above it, "" for none. A negative return ends the reading and is
 * returned.
 */
typedef int IniOnEntry(const char *section, const char *name, const char *value, void *userdata);

/*
 * Reads all of the text, which ends with a zero byte; on_entry may be NULL. 0; -EINVAL and what is wrong in
 * *ret_error, once the entries before it were read; -ENOMEM; or what on_entry returned.
 */
int ini_parse(const char *text, IniOnEntry *on_entry, void *userdata, IniError *ret_error);

/*
 * The same for a line of php.value or php.admin_value, which has to be one entry, with a value, and nothing
 * else that counts. The line of the error is 1.
 */
int ini_line_check(const char *line, IniError *ret_error);
