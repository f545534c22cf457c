/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A unit of systemd as its files say it: the unit's own file and the drop-ins, in the order in which
 * systemd reads them (systemd.unit(5)). systemd itself is not asked, so this works without it, and for the
 * root directory of another machine.
 */

#include "base/util.h"

/* Bounds: bytes of a file, drop-ins of a unit, assignments in all. */
#define UNIT_FILE_SIZE_MAX (1024U * 1024U)
#define UNIT_DROP_INS_MAX 1024
#define UNIT_ASSIGNMENTS_MAX 16384

/*
 * "Key=value" below "[Section]". An assignment without a value takes away those before it, and is not
 * listed.
 */
typedef struct UnitAssignment {
        char *section, *key, *value;
        const char *file; /* the UnitFile's */
        unsigned line;
        bool vendor; /* it stands in the file below /usr/lib or /lib, or in the same words in a copy of it */
} UnitAssignment;

typedef struct UnitFile {
        char *name; /* "php8.2-fpm.service" */
        char **files;
        size_t n_files;
        UnitAssignment *items;
        size_t n;
        bool found; /* it has a file of its own */
} UnitFile;

/* Makes a unit without any file, which the caller frees. 0 or -ENOMEM. */
int unit_file_new(const char *name, UnitFile **ret);
void unit_file_free(UnitFile *unit);
DEFINE_CLEANUP(UnitFile *, unit_file_free)

/* Adds the assignments in the text of one of the unit's files. 0, -E2BIG or -ENOMEM. */
int unit_file_parse(UnitFile *unit, const char *file, const char *text, bool vendor);

/*
 * Reads the files of the unit below root, "" for /; those that cannot be read are left out. For an instance
 * such as php-pool@www.service, also those of its template. 0, -E2BIG or -ENOMEM.
 */
int unit_file_load(const char *root, const char *name, UnitFile **ret);

/* The last value, "" for none. */
const char *unit_file_get(const UnitFile *unit, const char *section, const char *key);

/*
 * Takes the next word of a value, *p, as systemd reads one: quotes and escapes. 1 and *ret, a new string; 0
 * at the end; or -ENOMEM. *p is moved behind it.
 */
int unit_next_word(const char **p, char **ret);

/* The names of files in the unit's directories that end in ".service", once each, a list for strv_free(). */
int unit_list_services(const char *root, char ***ret);
