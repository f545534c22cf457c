/* SPDX-License-Identifier: MIT */

/*
 * env[] and clear_env of a pool of PHP-FPM: Environment= of its service. What a pool's file may
 * not say is import-variables.c's to judge. Pure.
 */

#include "base/text.h"
#include "ctl/import/internal.h"

/* Of a value: the kernel takes 128 kilobytes for a variable, with its name. */
#define VARIABLE_MAX 100000U

static int write_variable(ImportPool *p, const FpmEntry *entry, const char *value)
{
        _cleanup_(freep) char *assignment = NULL, *word = NULL;
        Text text;
        bool fits;
        int r;

        if (strlen(value) > VARIABLE_MAX)
                return import_note(p, entry, true, "not imported: a value has %u bytes at most",
                                   VARIABLE_MAX);
        if (text_format(&assignment, "%s=%s", entry->key, value) < 0)
                return -ENOMEM;
        r = text_open(&text);
        if (r < 0)
                return r;
        fits = unit_write_word(assignment, text.f);
        r = text_close(&text, 0, &word);
        if (r < 0)
                return r;
        if (!fits)
                return import_note(p, entry, true, "not imported: Environment= cannot hold this value");
        fprintf(p->service, "Environment=%s\n", word);
        return 0;
}

/* env[NAME] = $OTHER: what PHP-FPM itself has, from its unit or from what systemd gives to all services. */
static int map_reference(ImportPool *p, const FpmEntry *entry, const char *other)
{
        _cleanup_(freep) char *value = NULL;
        int r;

        r = import_unit_variable(p->import->unit, other, &value);
        if (r != 0)
                return r < 0 ? r : write_variable(p, entry, value);
        if (!streq(other, entry->key))
                return import_note(p, entry, true,
                                   "not imported: systemd passes a variable on under its own name "
                                   "only; write its value, Environment=%s=…",
                                   entry->key);
        if (import_passing_refused(other))
                return import_note(p, entry, true, "not imported: %s", import_passing_refused(other));
        fprintf(p->service, "PassEnvironment=%s\n", other);
        return import_note(p, entry, false,
                           "as in PHP-FPM, it has a value where systemd has one for its "
                           "services: systemctl show-environment");
}

static int map_variable(ImportPool *p, const FpmEntry *entry)
{
        const char *name = entry->key, *value = entry->value,
                   *refused = import_variable_refused(name, false);

        if (name[strspn(name, UNIT_NAME_CHARACTERS)] || (*name >= '0' && *name <= '9'))
                return import_note(p, entry, true, "not imported: systemd takes no variable of this name");
        if (refused)
                return import_note(p, entry, true, "not imported: %s", refused);
        return *value == '$' ? map_reference(p, entry, value + 1) : write_variable(p, entry, value);
}

/* Whether PHP-FPM's unit sets variables, which its scripts see with clear_env = no. */
static bool unit_has_environment(const UnitFile *unit)
{
        for (size_t i = 0; unit && i < unit->n; i++)
                if (streq(unit->items[i].section, "Service") &&
                    (startswith(unit->items[i].key, "Environment") ||
                     startswith(unit->items[i].key, "PassEnv")))
                        return true;
        return false;
}

/* clear_env, which is NULL where it is not said. */
static int map_clear(ImportPool *p, const FpmEntry *clear)
{
        bool by_unit = unit_has_environment(p->import->unit);
        int r = 0;

        if (by_unit && (!clear || *clear->value))
                r = import_note(p, clear, false,
                                "what PHP-FPM's unit sets by Environment= and its like is seen by scripts "
                                "here, unlike "
                                "there, where clear_env leaves it to php.ini");
        else if (by_unit)
                r = import_note(p, clear, false,
                                "nothing to write: scripts see the service's environment, what PHP-FPM's "
                                "unit "
                                "sets among it");
        else if (clear && *clear->value)
                r = import_note(p, clear, false,
                                "nothing to write: scripts see what systemd sets for every "
                                "service, and what the drop-in sets");
        else if (clear)
                r = import_note(p, clear, false,
                                "nothing to write: scripts see the service's environment; what PHP-FPM's "
                                "unit "
                                "sets (Environment=, EnvironmentFile=) belongs in the drop-in");
        return r;
}

int import_environment(ImportPool *p)
{
        FpmEntry *clear = NULL;
        int r = 0;

        for (size_t i = 0; i < p->section->n_entries && r >= 0; i++) {
                FpmEntry *entry = &p->section->entries[i];

                if (streq(entry->directive->name, "clear_env")) {
                        entry->used = true;
                        clear = entry;
                } else if (streq(entry->directive->name, "env[]") && !entry->used) {
                        entry->used = true;
                        r = map_variable(p, entry);
                }
        }
        return r < 0 ? r : map_clear(p, clear);
}
