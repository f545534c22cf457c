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

#include "ctl/import/fpm-reader.h"

/*
 * Reads a file's text. 0; -EINVAL and *ret_error for wrong syntax; -ENOMEM; or what a function of the reader
 * returned.
 */
int fpm_file_parse(const char *text, size_t size, const FpmReader *reader, FpmError *ret_error);
