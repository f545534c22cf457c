/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A pool's settings: the struct, its defaults, and the sealed form in which the manager hands it to the
 * worker. Everything about a single setting stands in settings.def. Reading the pool file is parse.h's,
 * which only the manager and php-poolctl use: the worker does not link libconfig.
 */

#include "base/time.h"

#define CONFIG_CHILDREN_MAX 4096
#define CONFIG_SPAWN_MAX 1024
#define CONFIG_EMERGENCY_MAX 1024 /* emergency_restart.threshold */
#define CONFIG_TIME_MAX (366 * 86400 * USEC_PER_SEC)
#define CONFIG_SIZE_MAX ((uint64_t) 1 << 50)

/* The longest string and the most elements of a list in a pool file. */
#define CONFIG_STRING_MAX 65536
#define CONFIG_LIST_MAX 1024

/* The most bytes of the sealed form: more than a pool file of the greatest size makes. */
#define CONFIG_SEALED_MAX (4U * 1024U * 1024U)

typedef enum PmMode {
        PM_STATIC,
        PM_DYNAMIC,
        PM_ONDEMAND,
        _PM_MODE_MAX,
} PmMode;

typedef enum IniParams {
        INI_PARAMS_NEVER,
        INI_PARAMS_UNIX,
        INI_PARAMS_ALWAYS,
        _INI_PARAMS_MAX,
} IniParams;

/* The C type of each type in settings.def; settings.c says what each allows. */
#define SETTING_COUNT_T uint64_t
#define SETTING_TIME_T usec_t
#define SETTING_SIZE_T uint64_t
#define SETTING_BOOL_T bool
#define SETTING_PM_MODE_T PmMode
#define SETTING_INI_PARAMS_T IniParams
#define SETTING_LEVEL_T int /* syslog(3) number */
#define SETTING_STRING_T char *
#define SETTING_PATH_T char *
#define SETTING_SEARCH_PATH_T char *
#define SETTING_LOG_TARGET_T char *
#define SETTING_PHP_VERSION_T char *
#define SETTING_PATHS_T char **
#define SETTING_EXTENSIONS_T char **
#define SETTING_NETWORKS_T char **
#define SETTING_INI_LINES_T char **

typedef struct Config {
#define SETTING(field, key, type, def, min, max, help) SETTING_##type##_T field;
#include "config/settings.def"
} Config;

/* A new Config with every default; the caller frees it. 0 or -ENOMEM. */
int config_new(Config **ret);
void config_free(Config *config);
DEFINE_CLEANUP(Config *, config_free)

/* "dynamic" for PM_DYNAMIC, as in the pool file; NULL for a number that is no mode. */
const char *pm_mode_to_string(PmMode mode);

/*
 * Writes the settings into a new sealed memfd, CLOEXEC, which the caller closes. 0 or -errno; -EINVAL for a
 * value that a pool file could not have held (out of range, of another form), -E2BIG beyond
 * CONFIG_SEALED_MAX.
 */
int config_seal(const Config *config, int *ret_fd);

/*
 * Reads what config_seal() wrote; the caller frees the Config and keeps the descriptor. -EPERM for a
 * descriptor that is not sealed against writing, -EBADMSG for content of another settings.def or form. 0 or
 * -errno.
 */
int config_unseal(int fd, Config **ret);
