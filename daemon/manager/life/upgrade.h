/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A manager runs on while an upgrade replaces the programs that it and its workers are started from: one
 * after the other, so that for a while, or for good, the two may be of different builds. A template of
 * another build ends at once (ipc/inherit.h); here is what is said of it.
 */

#include "base/util.h"

/*
 * Whether there is another file where the one was that this process was started from: 1 and its path, a new
 * string; 0 where it is still ours, or gone; or -ENOMEM.
 */
int upgrade_find_manager(char **ret);

/*
 * Why a generation does not start, and what to do about it, as a new string: worker is the program's name.
 * serving: the pool runs with another generation. 0 or -ENOMEM.
 */
int upgrade_explain(const char *pool, const char *worker, bool serving, char **ret);
