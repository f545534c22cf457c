/* SPDX-License-Identifier: MIT */
#pragma once

/* What stands behind the "=" of a line. */

#include "ctl/import/fpm-scan.h"

/* Reads a value up to the line's end, a new string. 0, -EINVAL or -ENOMEM. */
int scan_value(Scanner *s, char **ret);
