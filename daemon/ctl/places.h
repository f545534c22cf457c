/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether a pool can use the files and directories that its settings name: those of the pool file, and of
 * ctl/places.def in its ini files. For php-poolctl check, and for import.
 */

#include "config/config.h"
#include "ctl/unit-file.h"

/*
 * Tells of a path that a pool cannot use. source is a file, or "php.admin_value" and the like, or "" for a
 * setting of the pool file. fatal: with it a pool does not start, or does not reload. A negative return
 * ends the search.
 */
typedef int OnPlace(const char *source, const char *name, const char *text, bool fatal, void *userdata);

/*
 * Looks at all of these paths as the unit's user, where the caller may become that user. Where unit is
 * NULL, it only finds out whether the caller could use them. 0, a negative value, or what on_place
 * returned.
 */
int places_check(const Config *config, const UnitFile *unit, const char *pool, OnPlace *on_place,
                 void *userdata);
