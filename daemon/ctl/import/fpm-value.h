/* SPDX-License-Identifier: MIT */
#pragma once

/* What stands behind the "=" of a line. */

#include "ctl/import/fpm-scan.h"

/* Reads a value up to the line's end, a new string. 0, -EINVAL or -ENOMEM. */
int fpm_scan_value(FpmScanner *s, char **ret);
