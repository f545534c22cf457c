/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The table that settings.def makes, and the values that its types allow. For this layer, and for
 * php-poolctl import, which writes pool files: everybody else reads the fields of Config.
 */

#include "config/config.h"

typedef enum SettingType {
        SETTING_COUNT,
        SETTING_TIME,
        SETTING_SIZE,
        SETTING_BOOL,
        SETTING_PM_MODE,
        SETTING_INI_PARAMS,
        SETTING_LEVEL,
        SETTING_STRING,
        SETTING_PATH,
        SETTING_SEARCH_PATH,
        SETTING_LOG_TARGET,
        SETTING_PHP_VERSION,
        SETTING_PATHS,
        SETTING_EXTENSIONS,
        SETTING_NETWORKS,
        SETTING_INI_LINES,
        _SETTING_TYPE_MAX,
} SettingType;

/* How a type's value is kept in Config, and so also how it is sealed. */
typedef enum SettingStorage {
        STORE_U64,
        STORE_BOOL,
        STORE_INT, /* an enum or an int, never negative */
        STORE_STRING,
        STORE_STRV,
} SettingStorage;

typedef struct SettingTypeInfo {
        SettingStorage storage;
        const char *text;              /* what a value or an element has to be; the range is the setting's */
        const char *examples;          /* how it is written, or NULL */
        bool (*allows)(const char *s); /* for strings and elements; NULL allows all */
} SettingTypeInfo;

extern const SettingTypeInfo setting_types[_SETTING_TYPE_MAX];

typedef struct Setting {
        const char *key; /* "pm.mode" */
        SettingType type;
        size_t offset; /* of the field in Config */
        const char *def;
        uint64_t min, max; /* of a COUNT, TIME or SIZE */
        const char *help;
} Setting;

/* The place of each setting in settings[]. */
typedef enum SettingId {
#define SETTING(field, key, type, def, min, max, help) SETTING_ID_##field,
#include "config/settings.def"
        _SETTING_ID_MAX,
} SettingId;

extern const Setting settings[_SETTING_ID_MAX];

/* The setting with this key, or NULL. */
const Setting *setting_find(const char *key);

/* Whether some key starts with "name." */
bool setting_group_exists(const char *name);

SettingStorage setting_storage(const Setting *s);

/* Whether the pool file may give the value as a number, or as text in quotes. */
bool setting_takes_number(const Setting *s);
bool setting_takes_text(const Setting *s);

/* Whether a value, an element in the case of a list, is one that the setting may have. */
bool setting_allows_number(const Setting *s, uint64_t n);
bool setting_allows_string(const Setting *s, const char *string);

/* The word for a number of a choice: PM_MODE, INI_PARAMS or LEVEL. NULL where there is none. */
const char *setting_choice(SettingType type, uint64_t n);

/* The value of a setting that is no string and no list, whatever its storage. */
uint64_t setting_get_number(const Setting *s, const Config *config);

/* Sets such a setting to a number in its own unit. -ERANGE where the setting does not allow it. */
int setting_set_number(const Setting *s, uint64_t n, Config *config);

/* Sets a setting that is no list from text as in the pool file. 0, -EINVAL, -ERANGE or -ENOMEM. */
int setting_set_text(const Setting *s, const char *text, Config *config);

/* Hands a string or a list, which has been checked, to the setting; the old one is freed. */
void setting_take_string(const Setting *s, char *string, Config *config);
void setting_take_list(const Setting *s, char **list, Config *config);

char *setting_get_string(const Setting *s, const Config *config);
char **setting_get_list(const Setting *s, const Config *config);

/* Sets the setting to its default. config's field is NULL or holds a value. 0 or -ENOMEM. */
int setting_set_default(const Setting *s, Config *config);
