/* SPDX-License-Identifier: MIT */

/*
 * Whether a pool that is imported can use the paths that its file names, as it could under PHP-FPM: see
 * internal.h. What php-poolctl check looks at, for a pool that is not there yet: its unit is php-pool's with
 * the drop-in that is about to be written. Asks the system; writes nothing.
 */

#include <stdio.h>

#include "base/text.h"
#include "config/php.h"
#include "ctl/import/internal.h"
#include "ctl/places.h"

/* The directive that the setting, or PHP's, came from: the last. NULL for none. */
static const FpmEntry *find_entry(const ImportPool *p, const char *name)
{
        bool directory = streq(name, "WorkingDirectory=");

        for (size_t i = p->section->n_entries; i-- > 0;) {
                const FpmEntry *entry = &p->section->entries[i];

                if (directory ? streq(entry->directive->name, "chdir")
                              : streq(entry->key ?: entry->directive->name, name))
                        return entry;
        }
        return NULL;
}

static int on_place(const char *source, const char *name, const char *text, bool fatal _unused_,
                    void *userdata)
{
        ImportPool *p = userdata;
        const FpmEntry *entry = find_entry(p, name);

        if (entry)
                return import_note(p, entry, true, "%s", text);
        return import_note(p, NULL, true, "%s%s%s: %s", source, *source ? ": " : "", name, text);
}

/* Where the pool's PHP is not installed; once for all pools that want it. */
static int tell_php(ImportPool *p)
{
        ImportNote note = {
                .section = p->global, .file = p->import->fpm->files[0], .line = 1, .lost = true
        };
        PhpVersion version;
        PhpList list;
        int r;

        r = php_list(php_directory(), &list);
        if (r < 0 || php_choose(&list, p->config->php_version, &version) >= 0)
                return 0;
        r = php_missing(php_directory(), &list, p->config->php_version, &note.text);
        if (r < 0)
                return r;
        note.subject = strdup("php.version");
        if (!note.subject) {
                free(note.text);
                return -ENOMEM;
        }
        return import_add_note(p->import, note);
}

int import_places(ImportPool *p, const char *drop_in)
{
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        _cleanup_(freep) char *name = NULL;
        int r;

        if (!p->import->look)
                return 0;
        r = tell_php(p);
        if (r < 0)
                return r;
        if (text_format(&name, "php-pool@%s.service", p->section->name) < 0)
                return -ENOMEM;
        r = unit_file_load("", name, &unit);
        if (r >= 0)
                r = unit_file_parse(unit, IMPORT_DROP_IN, drop_in, false);
        return r < 0 ? r : places_check(p->config, unit, p->section->name, on_place, p);
}
