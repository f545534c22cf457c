/* SPDX-License-Identifier: MIT */
#pragma once

/* PHP-FPM's directives (fpm.def), and the types of their values. */

#include "base/util.h"

typedef enum FpmScope { FPM_GLOBAL = 1, FPM_POOL = 2, FPM_BOTH = 3 } FpmScope;

typedef enum FpmType {
        FPM_STRING,
        FPM_INTEGER,
        FPM_TIME,
        FPM_BOOL,
        FPM_RLIMIT,
        FPM_LEVEL,
        FPM_PM,
} FpmType;

typedef enum FpmHow { FPM_SETTING, FPM_INI, FPM_TOGETHER, FPM_NOTHING, FPM_MISSING } FpmHow;

/* A line of fpm.def. */
typedef struct FpmDirective {
        const char *name;
        FpmScope scope;
        FpmType type;
        FpmHow how;
        const char *key;
        const char *where;
} FpmDirective;

/* The directive, without the key: "env[]"; NULL for none. FPM minds the case of those with brackets only. */
const FpmDirective *fpm_directive_find(const char *name);

/* Says what a value of the type has to be, where this one is wrong; otherwise NULL. */
const char *fpm_type_error(FpmType type, const char *value);

/* Values, as FPM reads them, of an entry of the right type. */
long long fpm_value_integer(const char *value);
long long fpm_value_seconds(const char *value);
