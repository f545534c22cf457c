/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * An upgrade replaces the programs of manager and worker one after the other, while the manager runs on. So
 * the two may be of different builds, for a while or for good. A template of another build ends at once
 * (ipc/inherit.h); these functions find that out and explain it.
 */

#include "base/util.h"

/*
 * Whether the program of this process has been replaced by another file: 1 and its path, a new string; 0
 * where it is still the same, or gone; or -ENOMEM.
 */
int upgrade_find_manager(char **ret);

/*
 * Why a generation does not start, and what to do about it, as a new string: worker is the program's name.
 * serving: the pool runs with another generation. 0 or -ENOMEM.
 */
int upgrade_explain(const char *pool, const char *worker, bool serving, char **ret);
