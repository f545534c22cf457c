/* SPDX-License-Identifier: MIT */
#pragma once

/* Which PHP a PHP-FPM is of, by the names that Debian gives to its files and its unit. */

#include "ctl/unit-file.h"

/* Below it, a version's directory; and there, FPM's, as Debian has it. */
#define IMPORT_PHP_DIR "/etc/php/"
#define IMPORT_FPM_DIR "/fpm/"

/* Where the directory in /etc/php of a PHP-FPM that has this file says so, its version, such as "8.2";
 * *ret_n is its length; otherwise NULL. */
const char *fpm_file_version(const char *file, size_t *ret_n);

/* The same by the name that Debian gives to the unit of a PHP-FPM; unit may be NULL. */
const char *fpm_unit_version(const UnitFile *unit, size_t *ret_n);
