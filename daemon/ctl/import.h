/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * php-poolctl import: what a PHP-FPM configuration is here, as the texts of files. Nothing here reads or
 * writes a file; the verb (import.c) does.
 */

#include "config/config.h"
#include "config/settings.h"
#include "ctl/fpm-load.h"

/* Where drop-ins go, and what they are called. */
#define IMPORT_UNIT_DIR "/etc/systemd/system"
#define IMPORT_DROP_IN "import.conf"

/* Something to tell about a line. */
typedef struct ImportNote {
        const char *file; /* the FpmConfig's */
        unsigned line;
        const FpmSection *section; /* of the pool whose file tells it, too; [global]: all do */
        char *subject;             /* "env[PATH]" */
        char *text;
        bool lost; /* it is not the same afterwards, unless somebody sees to it */
} ImportNote;

typedef struct ImportFile {
        char *path;
        char *text;
} ImportFile;

typedef struct Import {
        FpmConfig *fpm;    /* not owned */
        ImportNote *notes; /* in the order of files and lines, once import_map() has returned */
        size_t n_notes;
        ImportFile *files;
        size_t n_files;
        bool lost; /* whether some note is such */
        char *error;
} Import;

/* A pool on its way. */
typedef struct ImportPool {
        Import *import;
        FpmSection *section, *global;
        Config *config;
        bool set[_SETTING_ID_MAX]; /* which of it the pool file is to say */
        FILE *socket, *service, *status; /* the drop-ins */
} ImportPool;

/*
 * Makes the files of every pool. 0 and *ret, which the caller frees and which points into fpm; -EINVAL and
 * in *ret_error, a new string, what no pool here can have; or -ENOMEM.
 */
int import_map(FpmConfig *fpm, Import **ret, char **ret_error);
void import_free(Import *import);
DEFINE_CLEANUP(Import *, import_free)

/* "FILE:LINE: SUBJECT: text" into a new string. 0 or -ENOMEM. */
int import_note_format(const ImportNote *note, char **ret);

/* ---- Between the files import-*.c ---- */

/* Adds a note about an entry, or, where that is NULL, about the pool. 0 or -ENOMEM. */
int import_note(ImportPool *p, const FpmEntry *entry, bool lost, const char *format, ...) _printf_(4, 5);

/* Says why the whole cannot be imported. -EINVAL or -ENOMEM. */
int import_fail(Import *import, const char *file, unsigned line, const char *format, ...) _printf_(4, 5);

/* The path, behind the pool's prefix where it is relative, a new string. 0 or -ENOMEM. */
int import_path(ImportPool *p, const char *path, char **ret);

/* Set a setting; where it does not allow the value, a note says so. entry may be NULL. 0, -EINVAL, -ENOMEM.
 */
int import_set_number(ImportPool *p, const FpmEntry *entry, const char *key, long long n);
int import_set_string(ImportPool *p, const FpmEntry *entry, const char *key, const char *value);
int import_add_string(ImportPool *p, const FpmEntry *entry, const char *key, const char *value);

/* Each string that the characters of delimiters separate, to a list, which is empty without one. */
int import_set_list(ImportPool *p, const FpmEntry *entry, const char *key, const char *delimiters);

/* What stands in the pool file (import-settings.c) and in the units (import-units.c). 0, -EINVAL, -ENOMEM.
 */
int import_settings(ImportPool *p);
int import_units(ImportPool *p);

/* Quoting (import-text.c). For units, a value or, in quotes, a word; false for what a unit cannot say. */
bool unit_write_value(const char *value, FILE *f);
bool unit_write_word(const char *word, FILE *f);

/* "name=value" as PHP reads it from an ini file, a new string. 0 or -ENOMEM. */
int ini_line_format(const char *name, const char *value, char **ret);

/* The pool file. */
void import_write_pool(const ImportPool *p, FILE *f);
