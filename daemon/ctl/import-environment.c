/* SPDX-License-Identifier: MIT */

/*
 * env[] and clear_env of a pool of PHP-FPM: Environment= of its service. See import.h. What a pool's file
 * may not say is listed in config/environment.def, with its reasons. Pure.
 */

#include "base/text.h"
#include "ctl/import.h"

/* Of a value: the kernel takes 128 kilobytes for a variable, with its name. */
#define VARIABLE_MAX 100000U

const char *import_variable_refused(const char *name)
{
        static const struct {
                const char *name, *reason;
        } refused[] = {
#define VARIABLE(name, reason) { name, reason },
#include "config/environment.def"
        };

        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                size_t n = strcspn(refused[i].name, "*");

                if (strncmp(name, refused[i].name, n) == 0 && (refused[i].name[n] || !name[n]))
                        return refused[i].reason;
        }
        return NULL;
}

static int map_variable(ImportPool *p, const FpmEntry *entry)
{
        _cleanup_(freep) char *assignment = NULL, *word = NULL;
        const char *name = entry->key, *value = entry->value, *refused = import_variable_refused(name);
        Text text;
        bool fits;
        int r;

        if (name[strspn(name, UNIT_NAME_CHARACTERS)] || (*name >= '0' && *name <= '9'))
                return import_note(p, entry, true, "not imported: systemd takes no variable of this name");
        if (refused)
                return import_note(p, entry, true, "not imported: %s", refused);
        if (strlen(value) > VARIABLE_MAX)
                return import_note(p, entry, true, "not imported: a value has %u bytes at most",
                                   VARIABLE_MAX);
        if (*value == '$' && streq(value + 1, name)) {
                fprintf(p->service, "PassEnvironment=%s\n", name);
                return import_note(p, entry, false,
                                   "as in PHP-FPM, it has a value where systemd has one for its "
                                   "services: systemctl show-environment");
        }
        if (*value == '$')
                return import_note(p, entry, true,
                                   "not imported: systemd passes a variable on under its own name "
                                   "only; write its value, Environment=%s=…",
                                   name);

        if (asprintf(&assignment, "%s=%s", name, value) < 0) {
                assignment = NULL;
                return -ENOMEM;
        }
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
        if (r < 0 || !clear)
                return r;
        if (*clear->value)
                return import_note(p, clear, false,
                                   "nothing to write: scripts see what systemd sets for every "
                                   "service, and what the drop-in sets");
        return import_note(p, clear, false,
                           "nothing to write: scripts see the service's environment; what "
                           "PHP-FPM's unit sets (Environment=, EnvironmentFile=) belongs in the drop-in");
}
