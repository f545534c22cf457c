/* SPDX-License-Identifier: MIT */
#pragma once

/* Shared by the files import-*.c: a pool on its way, and the part that each of them has in it. */

#include <stdio.h>

#include "config/config.h"
#include "config/settings.h"
#include "ctl/import/import.h"

/* Characters that a unit takes in names without quotes. */
#define UNIT_NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* A pool on its way. */
typedef struct ImportPool {
        Import *import;
        FpmSection *section, *global;
        Config *config;
        bool set[_SETTING_ID_MAX];       /* which of it the pool file is to say */
        FILE *socket, *service, *status; /* the drop-ins */
} ImportPool;

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
 * The path of an entry as systemd has it, without "//", "/./" and a slash at the end, a new string. 0;
 * -EINVAL by import_fail() where it is not absolute, has a "..", a part or a length that no file has; or
 * -ENOMEM.
 */
int import_unit_path(ImportPool *p, const FpmEntry *entry, const char *path, char **ret);

typedef enum UnitAccount { ACCOUNT_USER, ACCOUNT_GROUP } UnitAccount;

/*
 * The user or group of an entry as units take it, a new string; a note says where there is none. Where root
 * is not allowed, as for those that scripts run as, its name, its number and every other name of uid or gid
 * 0 fail. 0, -EINVAL or -ENOMEM.
 */
int import_account(ImportPool *p, const FpmEntry *entry, UnitAccount type, bool root_allowed, char **ret);

/*
 * Why the service cannot have an environment variable of this name, or NULL (import-variables.c).
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
 * The slice that the pools are in, a new string: PHP-FPM's, where its Slice= is carried over. 1 for that
 * one, 0 for php-pool.slice, or -ENOMEM.
 */
int import_slice(const UnitFile *unit, char **ret);

/* "name=value" as PHP reads it from an ini file, a new string. 0 or -ENOMEM. */
int ini_line_format(const char *name, const char *value, char **ret);

/* The first line of what comes from the file, a new string. 0 or -ENOMEM. */
int import_mark_format(const char *file, char **ret);

/* The pool file. */
void import_write_pool(const ImportPool *p, FILE *f);
