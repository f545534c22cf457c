/* SPDX-License-Identifier: MIT */

/*
 * The table of settings, and the values that their types allow: see settings.h.
 *
 * All that bring a value (the defaults, the pool file, the sealed form) ask here whether it is allowed.
 * Nothing here knows libconfig: the worker links this file. A new type is a line in SettingType, one in
 * setting_types[] and its C type in config.h.
 */

#include "config/settings.h"

#include "base/log.h"
#include "base/parse.h"
#include "base/text.h"
#include "config/allow.h"

/* Accepted besides log_level_to_string()'s words, and the one word in which systemd's differ from them. */
#define LEVEL_ERR_ALIAS "err"

const Setting settings[_SETTING_ID_MAX] = {
#define SETTING(field, key_, type_, def_, min_, max_, help_)                                        \
        [SETTING_ID_##field] = {                                                                            \
                .key = key_,                                                                                \
                .type = SETTING_##type_,                                                                    \
                .offset = offsetof(Config, field),                                                          \
                .def = def_,                                                                                \
                .min = min_,                                                                                \
                .max = max_,                                                                                \
                .help = help_,                                                                              \
        },
#include "config/settings.def"
};

static const char *const pm_modes[] = {
        [PM_STATIC] = "static",
        [PM_DYNAMIC] = "dynamic",
        [PM_ONDEMAND] = "ondemand",
};
static_assert(ELEMENTSOF(pm_modes) == _PM_MODE_MAX, "a word for each mode");

static const char *const ini_params[] = {
        [INI_PARAMS_NEVER] = "never",
        [INI_PARAMS_UNIX] = "unix",
        [INI_PARAMS_ALWAYS] = "always",
};
static_assert(ELEMENTSOF(ini_params) == _INI_PARAMS_MAX, "a word for each choice");

static_assert(sizeof(PmMode) == sizeof(int) && sizeof(IniParams) == sizeof(int), "STORE_INT holds enums");

const SettingTypeInfo setting_types[_SETTING_TYPE_MAX] = {
        [SETTING_COUNT] = { STORE_U64, "a whole number", NULL, NULL },
        [SETTING_TIME] = { STORE_U64, "a time", "30, \"30s\" or \"5min\"", NULL },
        [SETTING_SIZE] = { STORE_U64, "a size in bytes", "1048576 or \"64M\"", NULL },
        [SETTING_BOOL] = { STORE_BOOL, "true or false", NULL, NULL },
        [SETTING_PM_MODE] = { STORE_INT, NULL, NULL, NULL },
        [SETTING_INI_PARAMS] = { STORE_INT, NULL, NULL, NULL },
        [SETTING_LEVEL] = { STORE_INT, NULL, NULL, NULL },
        [SETTING_STRING] = { STORE_STRING, "a string", NULL, NULL },
        [SETTING_PATH] = { STORE_STRING, "\"\" or a path that starts with \"/\"", NULL, allow_path },
        [SETTING_SEARCH_PATH] = { STORE_STRING, "\"\" or absolute paths separated by \":\"", NULL,
                                  allow_search_path },
        [SETTING_LOG_TARGET] = { STORE_STRING, "\"off\", \"journal\" or a file's absolute path", NULL,
                                 allow_log_target },
        [SETTING_PHP_VERSION] = { STORE_STRING, "\"\" or a version of two numbers, such as \"8.4\"", NULL,
                                  allow_php_version },
        [SETTING_PATHS] = { STORE_STRV, "a path that starts with \"/\"", NULL, allow_absolute_path },
        [SETTING_EXTENSIONS] = { STORE_STRV, "a name's ending that starts with \".\"", NULL,
                                 allow_extension },
        [SETTING_NETWORKS] = { STORE_STRV, "an IPv4 or IPv6 address, which may have a \"/prefix\"", NULL,
                               allow_network },
        [SETTING_INI_LINES] = { STORE_STRV, "a line \"name=value\" without a space in the name", NULL,
                                allow_ini_line },
};

const Setting *setting_find(const char *key)
{
        for (size_t i = 0; i < ELEMENTSOF(settings); i++)
                if (streq(settings[i].key, key))
                        return &settings[i];
        return NULL;
}

bool setting_group_exists(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                const char *rest = startswith(settings[i].key, name);

                if (rest && *rest == '.')
                        return true;
        }
        return false;
}

SettingStorage setting_storage(const Setting *s)
{
        return setting_types[s->type].storage;
}

/* Whether the value is no string and no list. */
static bool setting_is_number(const Setting *s)
{
        return setting_storage(s) != STORE_STRING && setting_storage(s) != STORE_STRV;
}

bool setting_takes_number(const Setting *s)
{
        return setting_storage(s) == STORE_U64;
}

bool setting_takes_text(const Setting *s)
{
        return s->type != SETTING_COUNT && s->type != SETTING_BOOL && setting_storage(s) != STORE_STRV;
}

const char *setting_choice(SettingType type, uint64_t n)
{
        switch (type) {
        case SETTING_PM_MODE:
                return n < ELEMENTSOF(pm_modes) ? pm_modes[n] : NULL;
        case SETTING_INI_PARAMS:
                return n < ELEMENTSOF(ini_params) ? ini_params[n] : NULL;
        case SETTING_LEVEL:
                return n <= LOG_DEBUG ? log_level_to_string((int) n) : NULL;
        default:
                return NULL;
        }
}

bool setting_allows_number(const Setting *s, uint64_t n)
{
        assert(setting_is_number(s));

        switch (setting_storage(s)) {
        case STORE_U64:
                return n >= s->min && n <= s->max;
        case STORE_BOOL:
                return n <= 1;
        default:
                return setting_choice(s->type, n);
        }
}

bool setting_allows_string(const Setting *s, const char *string)
{
        assert(!setting_is_number(s));

        return strnlen(string, CONFIG_STRING_MAX + 1) <= CONFIG_STRING_MAX &&
               (!setting_types[s->type].allows || setting_types[s->type].allows(string));
}

static const void *field_of(const Setting *s, const Config *config)
{
        return (const uint8_t *) config + s->offset;
}

static void *field_for(const Setting *s, Config *config)
{
        return (uint8_t *) config + s->offset;
}

uint64_t setting_get_number(const Setting *s, const Config *config)
{
        const void *field = field_of(s, config);

        assert(setting_is_number(s));

        switch (setting_storage(s)) {
        case STORE_U64:
                return *(const uint64_t *) field;
        case STORE_BOOL:
                return *(const bool *) field;
        default:
                /* A negative one, which nothing allows, becomes a great one, which nothing allows. */
                return (uint64_t) *(const int *) field;
        }
}

int setting_set_number(const Setting *s, uint64_t n, Config *config)
{
        void *field = field_for(s, config);

        if (!setting_allows_number(s, n))
                return -ERANGE;

        switch (setting_storage(s)) {
        case STORE_U64:
                *(uint64_t *) field = n;
                break;
        case STORE_BOOL:
                *(bool *) field = n;
                break;
        default:
                *(int *) field = (int) n;
        }
        return 0;
}

char *setting_get_string(const Setting *s, const Config *config)
{
        assert(setting_storage(s) == STORE_STRING);
        return *(char *const *) field_of(s, config);
}

char **setting_get_list(const Setting *s, const Config *config)
{
        assert(setting_storage(s) == STORE_STRV);
        return *(char **const *) field_of(s, config);
}

void setting_take_string(const Setting *s, char *string, Config *config)
{
        char **field = field_for(s, config);

        assert(setting_storage(s) == STORE_STRING);
        assert(string);

        free(*field);
        *field = string;
}

void setting_take_list(const Setting *s, char **list, Config *config)
{
        char ***field = field_for(s, config);

        assert(setting_storage(s) == STORE_STRV);
        assert(list);

        strv_free(*field);
        *field = list;
}

static int set_string(const Setting *s, const char *text, Config *config)
{
        char *copy;

        if (!setting_allows_string(s, text))
                return -EINVAL;
        copy = strdup(text);
        if (!copy)
                return -ENOMEM;

        setting_take_string(s, copy, config);
        return 0;
}

static int choice_from_text(SettingType type, const char *text, uint64_t *ret)
{
        const char *word;

        if (type == SETTING_LEVEL && streq(text, LEVEL_ERR_ALIAS)) {
                *ret = LOG_ERR;
                return 0;
        }
        for (uint64_t n = 0; (word = setting_choice(type, n)); n++)
                if (streq(text, word)) {
                        *ret = n;
                        return 0;
                }
        return -EINVAL;
}

static int number_from_text(SettingType type, const char *text, uint64_t *ret)
{
        switch (type) {
        case SETTING_COUNT:
                return parse_u64(text, ret);
        case SETTING_TIME:
                return parse_usec(text, ret);
        case SETTING_SIZE:
                return parse_size(text, ret);
        case SETTING_BOOL:
                *ret = streq(text, "true");
                return *ret || streq(text, "false") ? 0 : -EINVAL;
        default:
                return choice_from_text(type, text, ret);
        }
}

int setting_set_text(const Setting *s, const char *text, Config *config)
{
        uint64_t n;
        int r;

        assert(setting_storage(s) != STORE_STRV);

        if (setting_storage(s) == STORE_STRING)
                return set_string(s, text, config);

        r = number_from_text(s->type, text, &n);
        if (r < 0)
                return r;
        return setting_set_number(s, n, config);
}

/* The words of a default as a new list. */
static int split_words(const char *text, char ***ret)
{
        _cleanup_(strv_freep) char **list = NULL;
        size_t n = 0;

        list = calloc(strlen(text) / 2 + 2, sizeof *list);
        if (!list)
                return -ENOMEM;

        for (; *text; text += strspn(text, " ")) {
                size_t length = strcspn(text, " ");

                list[n] = strndup(text, length);
                if (!list[n++])
                        return -ENOMEM;
                text += length;
        }
        *ret = TAKE_PTR(list);
        return 0;
}

int setting_set_default(const Setting *s, Config *config)
{
        char **list;
        int r;

        if (setting_storage(s) != STORE_STRV)
                return setting_set_text(s, s->def, config);

        r = split_words(s->def, &list);
        if (r < 0)
                return r;
        setting_take_list(s, list, config);
        return 0;
}
