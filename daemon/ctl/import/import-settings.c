/* SPDX-License-Identifier: MIT */

/*
 * The part of a pool of PHP-FPM that becomes the pool file: see internal.h. Pure. fpm.def says which
 * setting a directive is; this file makes the setting's value of the directive's.
 *
 * FPM's default is written where it differs from ours.
 */

#include <ctype.h>
#include <limits.h>

#include "base/log.h"
#include "base/text.h"
#include "config/php.h"
#include "ctl/import/fpm-version.h"
#include "ctl/import/internal.h"

static int set_lower(ImportPool *p, const FpmEntry *entry, const char *key, const char *value)
{
        char word[16];
        size_t n = 0;

        for (; value[n] && n < sizeof word - 1; n++)
                word[n] = (char) tolower((uint8_t) value[n]);
        word[n] = 0;
        return import_set_string(p, entry, key, streq(word, "warn") ? "warning" : word);
}

/*
 * FPM opens its access log as root; here the pool's user does, inside the sandbox, in the directory that the
 * unit makes for it. What FPM wrote to its own standard error goes to the journal.
 */
static int set_access_log(ImportPool *p, const FpmEntry *entry)
{
        const char *slash = strrchr(entry->value, '/'), *name = slash ? slash + 1 : entry->value;
        _cleanup_(freep) char *path = NULL, *wanted = NULL;
        int r;

        if (strncmp(entry->value, "/proc/", strlen("/proc/")) == 0 ||
            strncmp(entry->value, "/dev/", strlen("/dev/")) == 0)
                return import_set_string(p, entry, entry->directive->key, "journal");

        if (!*name || streq(name, ".") || streq(name, ".."))
                return import_fail(p->import, entry->file, entry->line, "%s: \"%s\" names no file",
                                   entry->directive->name, entry->value);
        r = import_path(p, entry->value, &wanted);
        if (r < 0)
                return r;
        if (text_format(&path, "/var/log/php-pool/%s/%s", p->section->name, name) < 0)
                return -ENOMEM;
        r = import_set_string(p, entry, entry->directive->key, path);
        if (r < 0 || streq(path, wanted))
                return r;
        return import_note(p, entry, false, "%s here: the pool's user opens it, and may write there", path);
}

/* Whether a setting for dynamic pools, or ondemand ones, is one of another pool's. */
static const char *only_for(const ImportPool *p, const char *key)
{
        PmMode mode = p->config->pm_mode;

        if (streq(key, "pm.start_servers") || streq(key, "pm.min_spare_servers") ||
            streq(key, "pm.max_spare_servers"))
                return mode == PM_DYNAMIC ? NULL : "dynamic";
        return streq(key, "pm.process_idle_timeout") && mode != PM_ONDEMAND ? "ondemand" : NULL;
}

/* A directive that is one setting. */
static int take_setting(ImportPool *p, const FpmEntry *entry)
{
        const char *key = entry->directive->key, *value = entry->value;
        const char *mode = only_for(p, key);

        if (mode)
                return import_note(p, entry, false, "not imported: only pools with pm = %s use it", mode);

        switch (entry->directive->type) {
        case FPM_INTEGER:
                return import_set_number(p, entry, key, fpm_value_integer(value));
        case FPM_TIME:
                return import_set_number(p, entry, key, fpm_value_seconds(value));
        case FPM_BOOL:
                return import_set_number(p, entry, key, *value != 0);
        case FPM_PM:
        case FPM_LEVEL:
                return set_lower(p, entry, key, value);
        default:
                break;
        }
        if (streq(key, "security.limit_extensions"))
                return import_set_list(p, entry, key, " \t");
        if (entry->key)
                return import_add_string(p, entry, key, value);
        if (streq(key, "access.log") && *value)
                return set_access_log(p, entry);
        return *value ? import_set_string(p, entry, key, value) : 0;
}

/* Whether an entry before this one counts instead: of those with a key, FPM takes the first. */
static const FpmEntry *find_earlier(const ImportPool *p, const FpmEntry *entry)
{
        for (const FpmEntry *e = p->section->entries; e < entry; e++)
                if (e->key && *e->key && streq(e->key, entry->key ?: "") &&
                    e->directive->where == entry->directive->where &&
                    streq(e->directive->key ?: "", entry->directive->key ?: "") &&
                    !streq(e->key, "extension") && !startswith(e->key, "disable_"))
                        return e;
        return NULL;
}

/* An entry behind this one that counts instead: of those without a key, FPM takes the last. */
static const FpmEntry *find_later(const FpmSection *section, const FpmEntry *entry)
{
        if (!entry->key)
                for (size_t i = section->n_entries; i-- > 0 && &section->entries[i] > entry;)
                        if (section->entries[i].directive == entry->directive)
                                return &section->entries[i];
        return NULL;
}

static int take_entry(ImportPool *p, FpmSection *section, FpmEntry *entry)
{
        const FpmDirective *d = entry->directive;
        const FpmEntry *other = find_later(section, entry);

        if (!other && section == p->section)
                other = find_earlier(p, entry);
        if (other) {
                entry->used = true;
                return import_note(p, entry, false, "not used: PHP-FPM takes %s:%u", other->file,
                                   other->line);
        }
        if (d->how == FPM_TOGETHER)
                return 0;

        entry->used = true;
        switch (d->how) {
        case FPM_SETTING:
                return take_setting(p, entry);
        case FPM_INI:
                return import_ini(p, entry);
        case FPM_NOTHING:
                return import_note(p, entry, false, "nothing to write: in its place is %s", d->where);
        default:
                return import_note(p, entry, true, "not imported: no equivalent, see %s", d->where);
        }
}

/* 0 for process_control_timeout is no time at all; here it would be no limit. */
static int take_global(ImportPool *p)
{
        const FpmEntry *control = fpm_section_find(p->global, "process_control_timeout");
        const FpmEntry *threshold = fpm_section_find(p->global, "emergency_restart_threshold");
        const FpmEntry *interval = fpm_section_find(p->global, "emergency_restart_interval");
        long long n = threshold ? fpm_value_integer(threshold->value) : 0;
        long long seconds = interval ? fpm_value_seconds(interval->value) : 0;
        int r = 0;

        if (control && fpm_value_seconds(control->value) > 0)
                r = import_set_number(p, control, "reload.drain_timeout", fpm_value_seconds(control->value));
        else if (control)
                r = import_note(p, control, false,
                                "not imported: requests are given reload.drain_timeout to finish, "
                                "30 seconds where it is not set");
        if (r >= 0 && n > 0 && seconds > 0) {
                r = import_set_number(p, threshold, "emergency_restart.threshold", n);
                if (r >= 0)
                        r = import_set_number(p, interval, "emergency_restart.interval", seconds);
        } else if (r >= 0 && (n > 0 || seconds > 0))
                r = import_note(p, n > 0 ? threshold : interval, false,
                                "not imported: without the other of the two it does nothing");
        return r;
}

/* Status and ping pages: FPM has none unless they are named. */
static int take_pages(ImportPool *p)
{
        const FpmEntry *status = fpm_section_find(p->section, "pm.status_path");
        const FpmEntry *ping = fpm_section_find(p->section, "ping.path");
        const FpmEntry *listen = fpm_section_find(p->section, "pm.status_listen");
        int r;

        r = import_set_string(p, status ?: listen, "status.path",
                              status   ? status->value
                              : listen ? "/"
                                       : "");
        return r < 0 ? r : import_set_string(p, ping, "ping.path", ping ? ping->value : "");
}

/*
 * The PHP, and its php.ini and what goes with it: libphp reads its own, not FPM's. Which it is says the
 * place of the pool's file, of the one that includes it, or the unit that runs both.
 */
static int take_php(ImportPool *p)
{
        _cleanup_(freep) char *version = NULL, *ini = NULL, *scan_dir = NULL;
        const char *found;
        size_t n = 0;
        int r;

        found = fpm_file_version(p->section->file, &n) ?: fpm_file_version(p->import->fpm->files[0], &n);
        found = found ?: fpm_unit_version(p->import->unit, &n);
        if (!found)
                return import_note(p, NULL, false,
                                   "libphp reads its own php.ini and not PHP-FPM's, unless php.ini "
                                   "and php.ini_scan_dir in the pool file say where that is");
        r = text_format(&version, "%.*s", (int) n, found);
        if (r < 0)
                return r;
        if (!php_version_valid(version) || !php_version_supported(version))
                return import_note(p, NULL, true,
                                   "this is a file of PHP %s, and php-pool runs PHP " PHP_OLDEST " and "
                                   "later: the pool has the newest that is installed, with php.ini and "
                                   "extensions of its libphp",
                                   version);
        r = text_format(&ini, IMPORT_PHP_DIR "%s" IMPORT_FPM_DIR "php.ini", version);
        if (r >= 0)
                r = text_format(&scan_dir, IMPORT_PHP_DIR "%s" IMPORT_FPM_DIR "conf.d", version);
        if (r >= 0)
                r = import_set_string(p, NULL, "php.version", version);
        if (r >= 0)
                r = import_set_string(p, NULL, "php.ini", ini);
        return r < 0 ? r : import_set_string(p, NULL, "php.ini_scan_dir", scan_dir);
}

/* What FPM asks of every pool. */
static int check_mandatory(ImportPool *p)
{
        static const char *const names[] = { "listen", "pm", "pm.max_children" };
        static const char *const dynamic[] = { "pm.min_spare_servers", "pm.max_spare_servers" };
        const FpmEntry *pm = fpm_section_find(p->section, "pm");

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (!fpm_section_find(p->section, names[i]))
                        return import_fail(p->import, p->section->file, p->section->line,
                                           "pool %s has no %s", p->section->name, names[i]);
        for (size_t i = 0; i < ELEMENTSOF(dynamic) && strcasecmp(pm->value, "dynamic") == 0; i++)
                if (!fpm_section_find(p->section, dynamic[i]))
                        return import_fail(p->import, p->section->file, p->section->line,
                                           "pool %s is dynamic and has no %s", p->section->name, dynamic[i]);
        return set_lower(p, NULL, "pm.mode", pm->value);
}

int import_settings(ImportPool *p)
{
        int r;

        r = check_mandatory(p);
        if (r >= 0)
                r = take_php(p);
        if (r >= 0)
                r = take_global(p);
        for (size_t i = 0; i < p->global->n_entries && r >= 0; i++)
                r = take_entry(p, p->global, &p->global->entries[i]);
        if (r >= 0)
                r = take_pages(p);
        for (size_t i = 0; i < p->section->n_entries && r >= 0; i++)
                r = take_entry(p, p->section, &p->section->entries[i]);
        return r;
}
