/* SPDX-License-Identifier: MIT */

/*
 * Rules between settings: see check.h. They are PHP-FPM's (fpm_conf.c): min_spare_servers <=
 * max_spare_servers <= max_children, and start_servers between the two, all for dynamic pools only. Unlike
 * there, a default never contradicts a value that the file has: it gives way. There are also rules for one
 * setting here, where a single sentence for all that can be wrong would not do.
 */

#include "poolfile/check.h"

#include "base/text.h"
#include "config/access.h"
#include "config/php.h"

/* Short names for the settings that this file is about. */
#define MODE SETTING_ID_pm_mode
#define CHILDREN SETTING_ID_pm_max_children
#define START SETTING_ID_pm_start_servers
#define MIN_SPARE SETTING_ID_pm_min_spare_servers
#define MAX_SPARE SETTING_ID_pm_max_spare_servers
#define THRESHOLD SETTING_ID_emergency_restart_threshold
#define INTERVAL SETTING_ID_emergency_restart_interval
#define FORMAT SETTING_ID_access_format
#define PHP SETTING_ID_php_version

typedef struct Check {
        Config *config;
        const ConfigOrigin *origins;
        ConfigErrors *errors;
} Check;

static bool from_file(const Check *c, SettingId id)
{
        return c->origins[id].state == ORIGIN_FILE;
}

static bool is_refused(const Check *c, SettingId id)
{
        return c->origins[id].state == ORIGIN_REFUSED;
}

static unsigned long long number_of(const Check *c, SettingId id)
{
        return setting_get_number(&settings[id], c->config);
}

/* Says that one setting has to be at most or at least another, which it is not. */
static int contradicts(const Check *c, SettingId id, const char *relation, SettingId other)
{
        return config_errors_add(c->errors, c->origins[id].file, c->origins[id].line, settings[id].key,
                                 "must be %s %s, which is %llu%s, not %llu", relation, settings[other].key,
                                 number_of(c, other), from_file(c, other) ? "" : " by default",
                                 number_of(c, id));
}

static void fit_max_spare(const Check *c)
{
        Config *config = c->config;

        if (from_file(c, MAX_SPARE))
                return;
        if (from_file(c, MIN_SPARE))
                config->pm_max_spare_servers =
                                MAX(config->pm_max_spare_servers, config->pm_min_spare_servers);
        if (from_file(c, START))
                config->pm_max_spare_servers = MAX(config->pm_max_spare_servers, config->pm_start_servers);
        config->pm_max_spare_servers = MIN(config->pm_max_spare_servers, config->pm_max_children);
}

static void fit_min_spare(const Check *c)
{
        Config *config = c->config;

        if (from_file(c, MIN_SPARE))
                return;
        config->pm_min_spare_servers = MIN(config->pm_min_spare_servers, config->pm_max_spare_servers);
        if (from_file(c, START) && config->pm_start_servers > 0)
                config->pm_min_spare_servers = MIN(config->pm_min_spare_servers, config->pm_start_servers);
}

/* As in PHP-FPM: the middle, where it is not set or 0. */
static void fit_start(const Check *c)
{
        uint64_t min = c->config->pm_min_spare_servers, max = c->config->pm_max_spare_servers;

        if (from_file(c, START) && c->config->pm_start_servers > 0)
                return;
        c->config->pm_start_servers = min < max ? min + (max - min) / 2 : min;
}

static int check_spare(const Check *c)
{
        /* A max_spare_servers that is not from the file is too low only because max_children is. */
        SettingId upper = from_file(c, MAX_SPARE) ? MAX_SPARE : CHILDREN;
        int r = 0;

        if (is_refused(c, MODE) || is_refused(c, CHILDREN) || is_refused(c, START) ||
            is_refused(c, MIN_SPARE) || is_refused(c, MAX_SPARE) || c->config->pm_mode != PM_DYNAMIC)
                return 0;

        fit_max_spare(c);
        fit_min_spare(c);
        if (number_of(c, MAX_SPARE) > number_of(c, CHILDREN))
                r = contradicts(c, MAX_SPARE, "at most", CHILDREN);
        if (r >= 0 && number_of(c, MIN_SPARE) > number_of(c, upper))
                r = contradicts(c, MIN_SPARE, "at most", upper);

        fit_start(c);
        if (r < 0 || !from_file(c, START))
                return r;
        if (number_of(c, START) < number_of(c, MIN_SPARE))
                return contradicts(c, START, "at least", MIN_SPARE);
        if (number_of(c, START) > number_of(c, upper))
                return contradicts(c, START, "at most", upper);
        return 0;
}

/* One without the other would do nothing, and nothing would say so. */
static int check_emergency_restart(const Check *c)
{
        SettingId set, other;

        if (is_refused(c, THRESHOLD) || is_refused(c, INTERVAL) ||
            (number_of(c, THRESHOLD) > 0) == (number_of(c, INTERVAL) > 0))
                return 0;

        set = number_of(c, THRESHOLD) > 0 ? THRESHOLD : INTERVAL;
        other = set == THRESHOLD ? INTERVAL : THRESHOLD;
        return config_errors_add(c->errors, c->origins[set].file, c->origins[set].line, settings[set].key,
                                 "needs %s too", settings[other].key);
}

static int check_access_format(const Check *c)
{
        _cleanup_(freep) AccessFormat *format = NULL;
        char error[ACCESS_ERROR_MAX];
        int r;

        if (is_refused(c, FORMAT))
                return 0;
        r = access_format_parse(c->config->access_format, error, &format);
        if (r != -EINVAL)
                return r;
        return config_errors_add(c->errors, c->origins[FORMAT].file, c->origins[FORMAT].line,
                                 settings[FORMAT].key, "%s", error);
}

int config_check(Config *config, const ConfigOrigin origins[static _SETTING_ID_MAX], ConfigErrors *errors)
{
        const Check c = { config, origins, errors };
        int r;

        r = check_spare(&c);
        if (r >= 0)
                r = check_emergency_restart(&c);
        return r < 0 ? r : check_access_format(&c);
}

int config_check_php(Config *config, const ConfigOrigin origins[static _SETTING_ID_MAX], const char *name,
                     const char *workers, ConfigErrors *errors)
{
        const ConfigOrigin *origin = &origins[PHP];
        _cleanup_(freep) char *why = NULL;
        PhpVersion version;
        PhpList list;
        int r;

        if (origin->state == ORIGIN_REFUSED)
                return 0;
        r = php_list(workers, &list);
        if (r >= 0)
                r = php_choose(&list, config->php_version, &version);
        if (r >= 0)
                return setting_set_text(&settings[PHP], version, config);
        r = r == -ENOENT ? php_missing(workers, &list, config->php_version, &why)
                         : text_format(&why, "the PHPs in %s cannot be looked at: %s", workers,
                                       strerror(-r));
        if (r < 0)
                return r;
        return config_errors_add(errors, origin->file ?: name, origin->line, settings[PHP].key, "%s", why);
}
