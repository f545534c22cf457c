/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * php-poolctl import: what a PHP-FPM configuration is here, as the texts of files. Nothing here reads or
 * writes a file; the verb (verb.c) does.
 */

#include "ctl/import/fpm-load.h"
#include "ctl/unit-file.h"

/* Where drop-ins go, and what they are called. */
#define IMPORT_UNIT_DIR "/etc/systemd/system"
#define IMPORT_DROP_IN "import.conf"

/* What each file that is written starts with; behind it stands the file that it comes from. */
#define IMPORT_MARK "# Imported by php-poolctl from "

/* Something to tell about a line. */
typedef struct ImportNote {
        const char *file; /* the FpmConfig's */
        unsigned line;
        const FpmSection *section; /* of the pool whose file tells it, too; [global]: all do */
        char *subject;             /* "env[PATH]" */
        char *text;
        bool lost; /* it is not the same afterwards, unless somebody sees to it */
} ImportNote;

/*
 * A file to write. One that is not needed now, but may be there from an earlier import, is stale: that it is
 * the import's, and may go, is known by its beginning, which text then is.
 */
typedef struct ImportFile {
        char *path;
        char *text;
        bool stale;
} ImportFile;

typedef struct Import {
        FpmConfig *fpm;       /* not owned */
        const UnitFile *unit; /* PHP-FPM's, not owned; NULL where nothing is known of it */
        bool look;            /* at what its settings name */
        ImportNote *notes;    /* in the order of files and lines, once import_map() has returned */
        size_t n_notes;
        ImportFile *files;
        size_t n_files;
        bool lost; /* whether some note is such */
        char *error;
} Import;

/*
 * Makes the files of every pool. Of the system, it asks which users there are, where they have their homes,
 * and, where look is true, whether pools can use the paths that their settings name. 0 and *ret, which the
 * caller frees and which points into fpm and unit, which may be NULL; -EINVAL and in *ret_error, a new
 * string, what no pool here can have; or -ENOMEM.
 */
int import_map(FpmConfig *fpm, const UnitFile *unit, bool look, Import **ret, char **ret_error);

/*
 * The unit that runs PHP-FPM with this file, an absolute path, below root, "" for /: one without files where
 * there is none. 0 and *ret, which the caller frees; or a negative value.
 */
int import_find_unit(const char *root, const char *file, UnitFile **ret);

/* What Environment= of the unit, or NULL, has for a variable: 1 and *ret, a new string; 0; or -ENOMEM. */
int import_unit_variable(const UnitFile *unit, const char *name, char **ret);

void import_free(Import *import);
DEFINE_CLEANUP(Import *, import_free)

/* "FILE:LINE: SUBJECT: text" into a new string. 0 or -ENOMEM. */
int import_note_format(const ImportNote *note, char **ret);
