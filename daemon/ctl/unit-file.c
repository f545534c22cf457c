/* SPDX-License-Identifier: MIT */

/* The syntax of units, and what several files of one make together: see unit-file.h. Pure. */

#include "ctl/unit-file.h"

#include <ctype.h>
#include <stdio.h>

#include "base/text.h"

#define BLANKS " \t\r"

int unit_file_new(const char *name, UnitFile **ret)
{
        UnitFile *unit = calloc(1, sizeof *unit);

        if (unit)
                unit->name = strdup(name);
        if (!unit || !unit->name) {
                free(unit);
                return -ENOMEM;
        }
        *ret = unit;
        return 0;
}

static void assignment_clear(UnitAssignment *a)
{
        free(a->section);
        free(a->key);
        free(a->value);
}

void unit_file_free(UnitFile *unit)
{
        if (!unit)
                return;
        for (size_t i = 0; i < unit->n; i++)
                assignment_clear(&unit->items[i]);
        for (size_t i = 0; i < unit->n_files; i++)
                free(unit->files[i]);
        free(unit->items);
        free(unit->files);
        free(unit->name);
        free(unit);
}

/* Drops the earlier values of a key, as an empty value does. */
static void remove_key(UnitFile *unit, const char *section, const char *key)
{
        size_t kept = 0;

        for (size_t i = 0; i < unit->n; i++)
                if (streq(unit->items[i].section, section) && streq(unit->items[i].key, key))
                        assignment_clear(&unit->items[i]);
                else
                        unit->items[kept++] = unit->items[i];
        unit->n = kept;
}

static int add_assignment(UnitFile *unit, const UnitAssignment *wanted)
{
        UnitAssignment a = *wanted, *items;

        if (!*a.value) {
                remove_key(unit, a.section, a.key);
                return 0;
        }
        if (unit->n == UNIT_ASSIGNMENTS_MAX)
                return -E2BIG;
        items = reallocarray(unit->items, unit->n + 1, sizeof *items);
        if (!items)
                return -ENOMEM;
        unit->items = items;
        a.section = strdup(a.section);
        a.key = strdup(a.key);
        a.value = strdup(a.value);
        if (!a.section || !a.key || !a.value) {
                assignment_clear(&a);
                return -ENOMEM;
        }
        unit->items[unit->n++] = a;
        return 0;
}

/* Cuts blanks off both ends, in place. */
static char *trim_blanks(char *s)
{
        size_t n;

        s += strspn(s, BLANKS);
        n = strlen(s);
        while (n > 0 && strchr(BLANKS, s[n - 1]))
                s[--n] = 0;
        return s;
}

/* A line in the making, and where it begins; it goes on behind a "\" at its end. */
typedef struct Lines {
        const char *p;
        unsigned line, start;
        char *text;
} Lines;

/* The next line that is no comment, with those in which it goes on: l->text. 1, 0 at the end, or -ENOMEM. */
static int next_line(Lines *l)
{
        bool more = true, any = false;
        Text text;
        int r;

        free(TAKE_PTR(l->text));
        r = text_open(&text);
        if (r < 0)
                return r;
        while (*l->p && more) {
                size_t n = strcspn(l->p, "\n"), blanks = strspn(l->p, BLANKS);
                bool comment = strchr("#;", l->p[blanks]) && l->p[blanks];

                l->line++;
                more = comment || (n > 0 && l->p[n - 1] == '\\');
                if (!comment) {
                        l->start = any ? l->start : l->line;
                        any = true;
                        fprintf(text.f, "%.*s%s", (int) (n - (more ? 1 : 0)), l->p, more ? " " : "");
                }
                l->p += n + (l->p[n] == '\n');
        }
        r = text_close(&text, 0, &l->text);
        return r < 0 ? r : any;
}

static int take_line(UnitFile *unit, const Lines *l, char **section, const char *file, bool vendor)
{
        char *text = trim_blanks(l->text), *equals = strchr(text, '=');
        size_t n = strlen(text);

        if (*text == '[' && text[n - 1] == ']') {
                free(*section);
                *section = strndup(text + 1, n - 2);
                return *section ? 0 : -ENOMEM;
        }
        if (!equals || !*section)
                return 0;
        *equals = 0;
        return add_assignment(unit, &(UnitAssignment){ .section = *section,
                                                       .key = trim_blanks(text),
                                                       .value = trim_blanks(equals + 1),
                                                       .file = file,
                                                       .line = l->start,
                                                       .vendor = vendor });
}

int unit_file_parse(UnitFile *unit, const char *file, const char *text, bool vendor)
{
        _cleanup_(freep) char *section = NULL;
        Lines l = { .p = text };
        char **files;
        int r;

        files = reallocarray(unit->files, unit->n_files + 1, sizeof *files);
        if (!files)
                return -ENOMEM;
        unit->files = files;
        files[unit->n_files] = strdup(file);
        if (!files[unit->n_files])
                return -ENOMEM;
        file = files[unit->n_files++];

        while ((r = next_line(&l)) > 0) {
                r = take_line(unit, &l, &section, file, vendor);
                if (r < 0)
                        break;
        }
        free(l.text);
        return r;
}

const char *unit_file_get(const UnitFile *unit, const char *section, const char *key)
{
        for (size_t i = unit->n; i-- > 0;)
                if (streq(unit->items[i].section, section) && streq(unit->items[i].key, key))
                        return unit->items[i].value;
        return "";
}

/* The character that the escape at *p, behind the backslash, stands for; *p is moved behind it. */
static char unescape_character(const char **p)
{
        static const char letters[] = "abfnrtvs", characters[] = "\a\b\f\n\r\t\v ";
        const char *letter = **p ? strchr(letters, **p) : NULL;
        char code[4] = {};

        if (letter) {
                (*p)++;
                return characters[letter - letters];
        }
        if (**p == 'x' && isxdigit((uint8_t) (*p)[1]) && isxdigit((uint8_t) (*p)[2])) {
                memcpy(code, *p + 1, 2);
                *p += 3;
                return (char) strtoul(code, NULL, 16);
        }
        if (strspn(*p, "01234567") >= 3) {
                memcpy(code, *p, 3);
                *p += 3;
                return (char) strtoul(code, NULL, 8);
        }
        return *(*p)++;
}

int unit_next_word(const char **p, char **ret)
{
        char quote = 0;
        Text text;
        int r;

        *p += strspn(*p, BLANKS);
        if (!**p)
                return 0;
        r = text_open(&text);
        if (r < 0)
                return r;
        while (**p && (quote || !strchr(BLANKS, **p))) {
                char c = *(*p)++;

                if (c == '\\' && **p)
                        fputc(unescape_character(p), text.f);
                else if (c == quote)
                        quote = 0;
                else if (!quote && (c == '"' || c == '\''))
                        quote = c;
                else
                        fputc(c, text.f);
        }
        r = text_close(&text, 0, ret);
        return r < 0 ? r : 1;
}
