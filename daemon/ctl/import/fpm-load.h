/* SPDX-License-Identifier: MIT */
#pragma once

/* A PHP-FPM configuration as FPM would load it: files, what they include, which directives they may hold. */

#include "ctl/import/fpm-directive.h"

/* Bounds: bytes of a file, files in all, files within each other (FPM's), entries in all. */
#define FPM_FILE_SIZE_MAX (1024U * 1024U)
#define FPM_FILES_MAX 4096
#define FPM_INCLUDES_MAX 5
#define FPM_ENTRIES_MAX 65536

/* What FPM puts before relative paths where it was built as Debian does. */
#define FPM_PREFIX "/usr"

typedef struct FpmEntry {
        const FpmDirective *directive;
        const char *file; /* belongs to the configuration */
        unsigned line;
        char *key;   /* what stands in the brackets, or NULL */
        char *value; /* "$pool" is replaced */
        bool used;   /* the import has done something with it, or said why not */
} FpmEntry;

typedef struct FpmSection {
        char *name; /* of the pool; NULL for [global] */
        const char *file;
        unsigned line;
        FpmEntry *entries;
        size_t n_entries;
} FpmSection;

/* ${NAME} in a file: FPM's environment is its unit's, where that has it; the importer's may not be FPM's. */
typedef struct FpmVariable {
        const char *file;
        unsigned line;
        char *name;
        bool set, by_unit;
} FpmVariable;

/* What is around FPM. */
typedef struct FpmEnvironment {
        /* What its unit has for a variable: NULL, or a string that is good until the next call. */
        const char *(*get)(const char *name, void *userdata);
        void *userdata;
        /* The PHP that it is of where the file's place does not say ("8.4"); NULL for none that is known. */
        const char *php_version;
} FpmEnvironment;

typedef struct FpmConfig {
        char **files;
        size_t n_files;
        FpmSection *sections; /* sections[0] is [global], which is always there */
        size_t n_sections;
        FpmVariable *variables;
        size_t n_variables;
        size_t n_entries;
} FpmConfig;

void fpm_config_free(FpmConfig *config);
DEFINE_CLEANUP(FpmConfig *, fpm_config_free)

/*
 * Reads the file and what it includes; environment may be NULL. Values are of their directive's type. 0 and
 * *ret, which the caller frees; -EINVAL and in *ret_error, a new string, what is wrong, with file and line
 * where it has them; or -ENOMEM.
 */
int fpm_config_load(const char *path, const FpmEnvironment *environment, FpmConfig **ret, char **ret_error);

/* For tests: the same for text in memory. */
int fpm_config_load_text(const char *name, const char *text, size_t size, const FpmEnvironment *environment,
                         FpmConfig **ret, char **ret_error);

/* The last entry of that name, the one that counts, that is not empty; or NULL. All of that name are used.
 */
FpmEntry *fpm_section_find(FpmSection *section, const char *name);
