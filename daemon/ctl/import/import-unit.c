/* SPDX-License-Identifier: MIT */

/*
 * The directives that administrators wrote for PHP-FPM's unit, for the drop-ins of its pools: see
 * internal.h. Each is carried over or told, by the table of fpm-unit.def. Directives in the package's own
 * file are neither. Pure.
 */

#include "base/text.h"
#include "ctl/import/internal.h"

typedef enum UnitWhat {
        UNIT_CARRIED,
        UNIT_EACH,
        UNIT_REPLACED,
        UNIT_LOST,
        UNIT_VARIABLES,
        UNIT_TMP
} UnitWhat;

typedef struct UnitDirective {
        const char *section, *name;
        UnitWhat what;
        const char *reason;
} UnitDirective;

static const UnitDirective directives[] = {
#define UNIT(section, name, what, reason) { #section, name, UNIT_##what, reason },
#include "ctl/import/fpm-unit.def"
};

static const UnitDirective *find_directive(const UnitAssignment *a)
{
        for (size_t i = 0; i < ELEMENTSOF(directives); i++) {
                const UnitDirective *d = &directives[i];
                size_t n = strcspn(d->name, "*");

                if (streq(d->section, a->section) && strncmp(d->name, a->key, n) == 0 &&
                    (d->name[n] || !a->key[n]))
                        return d;
        }
        return NULL;
}

static int note_assignment(ImportPool *p, const UnitAssignment *a, bool lost, const char *format, ...)
                _printf_(4, 5);
static int note_assignment(ImportPool *p, const UnitAssignment *a, bool lost, const char *format, ...)
{
        ImportNote n = { .file = a->file, .line = a->line, .section = p->global, .lost = lost };
        va_list ap;
        int r;

        if (text_format(&n.subject, "%s=", a->key) < 0)
                return -ENOMEM;
        va_start(ap, format);
        r = text_vformat(&n.text, format, ap);
        va_end(ap);
        if (r < 0) {
                free(n.subject);
                return r;
        }
        return import_add_note(p->import, n);
}

/*
 * Translates the value for another unit: a specifier for PHP-FPM's unit's name is replaced by that name. 1
 * and *ret, a new string; 0 for a specifier that means another thing in the pool's unit; or -ENOMEM.
 */
static int translate_specifiers(const UnitFile *unit, const char *value, char **ret)
{
        const char *dot = strrchr(unit->name, '.');
        size_t stem = dot ? (size_t) (dot - unit->name) : strlen(unit->name);
        bool good = true;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        for (; *value; value++) {
                char c = *value == '%' ? value[1] : 0;

                if (c && strchr("npN", c))
                        fprintf(text.f, "%.*s", (int) (c == 'n' ? strlen(unit->name) : stem), unit->name);
                else if (c && strchr("iIjJfyYP", c))
                        good = good && strchr("iI", c) && !strchr(unit->name, '@');
                else if (c)
                        fprintf(text.f, "%%%c", c);
                else
                        fputc(*value, text.f);
                value += c != 0;
        }
        r = text_close(&text, 0, ret);
        return r < 0 ? r : good;
}

/* Why a variable among those that the value sets cannot be carried over, and which; NULL for none. */
static int find_refused(const UnitAssignment *a, char **ret_name, const char **ret_reason)
{
        const char *value = a->value;
        char *word;
        int r;

        *ret_reason = NULL;
        while ((r = unit_next_word(&value, &word)) > 0) {
                word[strcspn(word, "=")] = 0;
                *ret_reason = import_variable_refused(word, true);
                if (!*ret_reason && streq(a->key, "PassEnvironment"))
                        *ret_reason = import_passing_refused(word);
                if (*ret_reason) {
                        *ret_name = word;
                        return 0;
                }
                free(word);
        }
        return r;
}

int import_slice(const UnitFile *unit, char **ret)
{
        const char *theirs = NULL;
        int r;

        for (size_t i = 0; unit && i < unit->n; i++)
                if (!unit->items[i].vendor && streq(unit->items[i].section, "Service") &&
                    streq(unit->items[i].key, "Slice"))
                        theirs = unit->items[i].value;
        r = theirs ? translate_specifiers(unit, theirs, ret) : 0;
        if (r != 0)
                return r;
        if (theirs)
                free(TAKE_PTR(*ret));
        return text_format(ret, "php-pool.slice");
}

/* Tells of a limit that the pools had together in PHP-FPM's unit, and that each has now. */
static int note_each(ImportPool *p, const UnitAssignment *a)
{
        _cleanup_(freep) char *slice = NULL;
        int r;

        r = import_slice(p->import->unit, &slice);
        if (r < 0)
                return r;
        return note_assignment(p, a, true,
                               "carried over: PHP-FPM's pools had it together, each has it here; for all "
                               "together write it to %s%s",
                               slice, r > 0 ? ", where it is for all else that is there, too" : "");
}

static int carry_over(ImportPool *p, const UnitAssignment *a, bool each, FILE *f)
{
        _cleanup_(freep) char *value = NULL, *name = NULL;
        const char *reason = NULL;
        int r = 0;

        if (startswith(a->key, "Environment") || startswith(a->key, "PassEnvironment"))
                r = streq(a->key, "EnvironmentFile") ? 0 : find_refused(a, &name, &reason);
        if (r < 0)
                return r;
        if (reason)
                return note_assignment(p, a, true, "not carried over: %s: %s", name, reason);
        r = translate_specifiers(p->import->unit, a->value, &value);
        if (r < 0)
                return r;
        if (r == 0)
                return note_assignment(p, a, true,
                                       "not carried over: a %%-specifier in it stands for PHP-FPM's unit");
        fprintf(f, "%s=%s\n", a->key, value);
        if (each && p->import->fpm->n_sections > 2)
                return note_each(p, a);
        return note_assignment(p, a, false, "carried over");
}

static bool is_no(const char *value)
{
        static const char *const no[] = { "no", "false", "off", "0", "n", "f" };

        for (size_t i = 0; i < ELEMENTSOF(no); i++)
                if (strcasecmp(value, no[i]) == 0)
                        return true;
        return false;
}

/*
 * The pools' own /tmp is a bind mount: without, they have the machine's. That takes an empty BindPaths=,
 * which comes first: it takes all other bind mounts away that stand before it, read-only ones too.
 */
static bool wants_machines_tmp(const UnitFile *unit)
{
        bool wants = false;

        for (size_t i = 0; i < unit->n; i++)
                if (!unit->items[i].vendor && streq(unit->items[i].section, "Service") &&
                    streq(unit->items[i].key, "PrivateTmp"))
                        wants = is_no(unit->items[i].value);
        return wants;
}

static int tell_tmp(ImportPool *p, const UnitAssignment *a)
{
        if (wants_machines_tmp(p->import->unit))
                return note_assignment(p, a, false,
                                       "carried over, as an empty BindPaths=: the machine's /tmp");
        return note_assignment(p, a, false,
                               "nothing to write: each pool has a /tmp of its own, see php-pool(7)");
}

static int map_assignment(ImportPool *p, const UnitAssignment *a, FILE *f)
{
        const UnitDirective *d = find_directive(a);

        if (!d)
                return note_assignment(p, a, true, "not carried over: php-poolctl does not know it");
        switch (d->what) {
        case UNIT_TMP:
                return tell_tmp(p, a);
        case UNIT_REPLACED:
                return note_assignment(p, a, false,
                                       "nothing to write: php-pool's units do this in their way");
        case UNIT_LOST:
                return note_assignment(p, a, true, "not carried over: %s", d->reason);
        default:
                return carry_over(p, a, d->what == UNIT_EACH, f);
        }
}

int import_unit(ImportPool *p, const char *section, FILE *f)
{
        const UnitFile *unit = p->import->unit;
        int r = 0;

        if (unit && streq(section, "Service") && wants_machines_tmp(unit))
                fputs("BindPaths=\n", f);
        for (size_t i = 0; unit && i < unit->n && r >= 0; i++)
                if (!unit->items[i].vendor && streq(unit->items[i].section, section))
                        r = map_assignment(p, &unit->items[i], f);
        return r;
}

int import_unit_rest(ImportPool *p)
{
        const UnitFile *unit = p->import->unit;
        int r = 0;

        for (size_t i = 0; unit && i < unit->n && r >= 0; i++) {
                const UnitAssignment *a = &unit->items[i];

                if (!a->vendor && !streq(a->section, "Unit") && !streq(a->section, "Service"))
                        r = map_assignment(p, a, NULL);
        }
        return r;
}

int import_unit_variable(const UnitFile *unit, const char *name, char **ret)
{
        size_t n = strlen(name);
        int r = 0, found = 0;

        for (size_t i = 0; unit && i < unit->n; i++) {
                const UnitAssignment *a = &unit->items[i];
                const char *value = a->value;
                char *word;

                if (!streq(a->section, "Service") || !streq(a->key, "Environment"))
                        continue;
                while ((r = unit_next_word(&value, &word)) > 0) {
                        if (strncmp(word, name, n) == 0 && word[n] == '=' && !strchr(word, '%')) {
                                if (found)
                                        free(*ret);
                                *ret = strdup(word + n + 1);
                                found = *ret ? 1 : -ENOMEM;
                        }
                        free(word);
                }
                if (r < 0 || found < 0) {
                        if (found > 0)
                                free(TAKE_PTR(*ret));
                        return -ENOMEM;
                }
        }
        return found;
}
