/* SPDX-License-Identifier: MIT */
#pragma once

/* Which pool a process is of. Pure. */

#include "base/util.h"

/*
 * The pool whose service text names: the name of a unit, or /proc/PID/cgroup. A new string, which the caller
 * frees; NULL for none.
 */
char *unit_pool(const char *text);
