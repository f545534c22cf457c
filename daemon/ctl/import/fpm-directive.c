/* SPDX-License-Identifier: MIT */

/* PHP-FPM's directives (fpm.def), and the types of their values as fpm_conf.c reads them. */

#include "ctl/import/fpm-directive.h"

#include <limits.h>

static const FpmDirective directives[] = {
#define FPM(name, scope, type, how, key, where) { name, FPM_##scope, FPM_##type, FPM_##how, key, where },
#include "poolfile/fpm.def"
};

const FpmDirective *fpm_directive_find(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(directives); i++)
                if (strchr(name, '[') ? streq(directives[i].name, name)
                                      : strcasecmp(directives[i].name, name) == 0)
                        return &directives[i];
        return NULL;
}

long long fpm_value_integer(const char *value)
{
        return (int) strtoll(value, NULL, 10);
}

long long fpm_value_seconds(const char *value)
{
        size_t n = strlen(value);
        long long factor = 1;

        switch (n > 0 ? value[n - 1] : 0) {
        case 'd':
                factor *= 24;
                _fallthrough_;
        case 'h':
                factor *= 60;
                _fallthrough_;
        case 'm':
                factor *= 60;
        }
        return fpm_value_integer(value) * factor;
}

/* Digits, and no more than an int holds: PHP-FPM would go on with what is left of a larger one. */
static bool is_integer(const char *value)
{
        const char *digits = value + (*value == '-');
        long long n;

        errno = 0;
        n = strtoll(digits, NULL, 10);
        return !digits[strspn(digits, "0123456789")] && errno == 0 && n <= INT_MAX;
}

static bool is_time(const char *value)
{
        size_t n = strspn(value, "0123456789");
        long long number;

        errno = 0;
        number = strtoll(value, NULL, 10);
        return n > 0 && errno == 0 && number <= INT_MAX &&
               (!value[n] || (strchr("smhd", value[n]) && !value[n + 1]));
}

static bool is_one_of(const char *value, const char *const *words)
{
        for (; *words; words++)
                if (strcasecmp(*words, value) == 0)
                        return true;
        return false;
}

const char *fpm_type_error(FpmType type, const char *value)
{
        static const char *const levels[] = { "debug", "notice", "warning", "warn", "error", "alert", NULL };
        static const char *const modes[] = { "static", "dynamic", "ondemand", NULL };

        switch (type) {
        case FPM_INTEGER:
                return is_integer(value) ? NULL : "a whole number up to 2147483647";
        case FPM_TIME:
                return is_time(value) ? NULL : "a time such as 30, 30s, 5m, 2h or 1d";
        case FPM_BOOL:
                return !*value || streq(value, "1") ? NULL : "yes or no";
        case FPM_RLIMIT:
                return (is_integer(value) && *value != '-') || strcasecmp(value, "unlimited") == 0
                                       ? NULL
                                       : "a whole number from 0 to 2147483647, or unlimited";
        case FPM_LEVEL:
                return is_one_of(value, levels) ? NULL : "debug, notice, warning, error or alert";
        case FPM_PM:
                return is_one_of(value, modes) ? NULL : "static, dynamic or ondemand";
        default:
                return NULL;
        }
}
