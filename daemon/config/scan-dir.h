/* SPDX-License-Identifier: MIT */
#pragma once

/* The directories of ini files beside php.ini, where packages enable extensions. */

#include "base/util.h"

/*
 * Whether PHP finds a file, one whose name ends in ".ini", in directories with ":" between them, as
 * php.ini_scan_dir has them. An empty one stands for libphp's own, which is not looked at: then it does.
 */
bool scan_dir_has_ini(const char *directories);
