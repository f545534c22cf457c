/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * php-poolctl import: what a PHP-FPM configuration is here, as the texts of files. Nothing here reads or
 * writes a file; the verb (import.c) does.
 */

#include "config/config.h"
#include "config/settings.h"
#include "ctl/import/fpm-load.h"
#include "ctl/unit-file.h"

/* Where drop-ins go, and what they are called. */
#define IMPORT_UNIT_DIR "/etc/systemd/system"
#define IMPORT_DROP_IN "import.conf"

/* What may stand in names where a unit takes them without quotes. */
#define UNIT_NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* What each file that is written starts with; behind it stands the file that it comes from. */
#define IMPORT_MARK "# Imported by php-poolctl from "

/* Below it, a version's directory; and there, FPM's, as Debian has it. */
#define IMPORT_PHP_DIR "/etc/php/"
#define IMPORT_FPM_DIR "/fpm/"

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

/* A pool on its way. */
typedef struct ImportPool {
        Import *import;
        FpmSection *section, *global;
        Config *config;
        bool set[_SETTING_ID_MAX];       /* which of it the pool file is to say */
        FILE *socket, *service, *status; /* the drop-ins */
} ImportPool;

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

/* ---- Between the files import-*.c ---- */

/*
 * Adds the note and takes its strings over, also where it fails; what several pools tell of [global] is told
 * once. 0 or -ENOMEM.
 */
int import_add_note(Import *import, ImportNote note);

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

/* Where the directory in /etc/php of a PHP-FPM that has this file says so, its version, such as "8.2";
 * *ret_n is its length; otherwise NULL. */
const char *import_fpm_version(const char *file, size_t *ret_n);

/* The same of the name that Debian gives to the unit that runs PHP-FPM with these files; unit may be NULL. */
const char *import_unit_version(const UnitFile *unit, size_t *ret_n);

/* Tells which paths the pool cannot use, with this drop-in for its service. 0 or a negative value. */
int import_places(ImportPool *p, const char *drop_in);

/* Writes Symlinks= for the links that lead to the pool's Unix socket, and tells it. 0 or -ENOMEM. */
int import_links(ImportPool *p, const FpmEntry *listen, const char *address, FILE *f);

/* What stands in the pool file and in the drop-ins: each in its import-*.c. 0, -EINVAL, -ENOMEM. */
int import_settings(ImportPool *p);
int import_sockets(ImportPool *p);
int import_service(ImportPool *p);
int import_environment(ImportPool *p);

/* php_value[] and the like: a line of php.value or php.admin_value. The same. */
int import_ini(ImportPool *p, const FpmEntry *entry);

/* Quoting (import-text.c). For units, a value or, in quotes, a word; false for what a unit cannot say. */
bool unit_write_value(const char *value, FILE *f);
bool unit_write_word(const char *word, FILE *f);

/* Writes "NAME=value"; where no unit can hold the value, a note says so. 0 or -ENOMEM. */
int unit_write_option(ImportPool *p, const FpmEntry *entry, FILE *f, const char *name, const char *value);

/*
 * What systemd takes (import-value.c): values in the one form that it and everybody else reads alike.
 *
 * The path as systemd has it, without "//", "/./" and a slash at the end, a new string. 0; -EINVAL where it
 * is not absolute, has a "..", a part or a length that no file has; or -ENOMEM.
 */
int unit_path(const char *path, char **ret);

/* The same for the path of an entry; "-EINVAL" has become import_fail()'s. */
int import_unit_path(ImportPool *p, const FpmEntry *entry, const char *path, char **ret);

typedef enum UnitAccount { ACCOUNT_USER, ACCOUNT_GROUP } UnitAccount;

/*
 * The user or group of an entry as units take it, a new string; a note says where there is none. Where root
 * is not allowed, as for those that scripts run as, its name, its number and every other name of uid or gid
 * 0 fail. 0, -EINVAL or -ENOMEM.
 */
int import_account(ImportPool *p, const FpmEntry *entry, UnitAccount type, bool root_allowed, char **ret);

/*
 * Why the service cannot have an environment variable of this name, or NULL (import-environment.c).
 * PHP-FPM's unit, which the administrator wrote, may have some that a pool file may not.
 */
const char *import_variable_refused(const char *name, bool by_unit);

/*
 * Why PassEnvironment= cannot pass a variable on, or NULL: it yields to Environment= of the pool's unit,
 * which sets what names a locale to nothing.
 */
const char *import_passing_refused(const char *name);

/* Writes to f what of PHP-FPM's unit's section is carried over; tells all of it. 0 or -ENOMEM. */
int import_unit(ImportPool *p, const char *section, FILE *f);

/* Tells what other sections have. */
int import_unit_rest(ImportPool *p);

/*
 * The slice that the pools are in, a new string: PHP-FPM's, where its Slice= is carried over. 1 for that one,
 * 0 for php-pool.slice, or -ENOMEM.
 */
int import_slice(const UnitFile *unit, char **ret);

/* "name=value" as PHP reads it from an ini file, a new string. 0 or -ENOMEM. */
int ini_line_format(const char *name, const char *value, char **ret);

/* The first line of what comes from the file, a new string. 0 or -ENOMEM. */
int import_mark_format(const char *file, char **ret);

/* The pool file. */
void import_write_pool(const ImportPool *p, FILE *f);
