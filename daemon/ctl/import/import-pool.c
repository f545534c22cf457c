/* SPDX-License-Identifier: MIT */

/*
 * The pool file in the making: how a setting gets its value, whichever directive of PHP-FPM's that is. What
 * a setting does not allow is told in a note. Pure.
 */

#include <limits.h>

#include "base/text.h"
#include "ctl/import/internal.h"
#include "poolfile/dump.h"

int import_path(ImportPool *p, const char *path, char **ret)
{
        const FpmEntry *entry = fpm_section_find(p->section, "prefix");
        const char *prefix = entry ? entry->value : "";
        const char *root = *prefix == '/' ? "" : *prefix ? FPM_PREFIX "/" : FPM_PREFIX;

        if (startswith(path, "$prefix")) {
                path += strlen("$prefix");
                path += strspn(path, "/");
                return text_format(ret, "%s%s%s%s", root, prefix, *path ? "/" : "", path);
        }
        if (*path == '/')
                return text_format(ret, "%s", path);
        return text_format(ret, "%s%s/%s", root, prefix, path);
}

/* Tells that the setting cannot have this value. */
static int refuse_value(ImportPool *p, const FpmEntry *entry, const Setting *s, const char *value)
{
        _cleanup_(freep) char *wanted = NULL;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        if (setting_storage(s) == STORE_STRV)
                setting_describe_element(s, text.f);
        else
                setting_describe(s, text.f);
        r = text_close(&text, 0, &wanted);
        if (r < 0)
                return r;
        return import_note(p, entry, true, "not imported: %s has to be %s, not %s", s->key, wanted, value);
}

int import_set_number(ImportPool *p, const FpmEntry *entry, const char *key, long long n)
{
        const Setting *s = setting_find(key);
        char value[32];

        (void) snprintf(value, sizeof value, "%lld%s", n, s->type == SETTING_TIME ? "s" : "");
        if (n < 0 || (s->type == SETTING_TIME && n > (long long) (CONFIG_TIME_MAX / USEC_PER_SEC)))
                return refuse_value(p, entry, s, value);
        if (s->type == SETTING_TIME)
                n *= (long long) USEC_PER_SEC;
        if (setting_set_number(s, (uint64_t) n, p->config) < 0)
                return refuse_value(p, entry, s, value);
        p->set[s - settings] = true;
        return 0;
}

int import_set_string(ImportPool *p, const FpmEntry *entry, const char *key, const char *value)
{
        const Setting *s = setting_find(key);
        int r;

        r = setting_set_text(s, value, p->config);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return refuse_value(p, entry, s, value);
        p->set[s - settings] = true;
        return 0;
}

int import_add_string(ImportPool *p, const FpmEntry *entry, const char *key, const char *value)
{
        const Setting *s = setting_find(key);
        char **old = setting_get_list(s, p->config), **list;
        size_t n = 0;

        if (!setting_allows_string(s, value))
                return refuse_value(p, entry, s, value);
        /* The first one takes the place of the default. */
        while (p->set[s - settings] && old[n])
                n++;
        if (n == CONFIG_LIST_MAX)
                return import_note(p, entry, true, "not imported: a list has %d elements at most",
                                   CONFIG_LIST_MAX);

        list = calloc(n + 2, sizeof *list);
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                list[i] = TAKE_PTR(old[i]);
        list[n] = strdup(value);
        setting_take_list(s, list, p->config);
        if (!list[n])
                return -ENOMEM;
        p->set[s - settings] = true;
        return 0;
}

int import_set_list(ImportPool *p, const FpmEntry *entry, const char *key, const char *delimiters)
{
        _cleanup_(freep) char *copy = strdup(entry->value);
        const Setting *s = setting_find(key);
        char *save = NULL, **empty;
        int r = 0;

        empty = calloc(1, sizeof *empty);
        if (!copy || !empty) {
                free(empty);
                return -ENOMEM;
        }
        setting_take_list(s, empty, p->config);
        p->set[s - settings] = true;
        for (char *word = strtok_r(copy, delimiters, &save); word && r >= 0;
             word = strtok_r(NULL, delimiters, &save))
                r = import_add_string(p, entry, key, word);
        /* These lists allow all where they are empty. */
        if (r >= 0 && entry->value[strspn(entry->value, delimiters)] && !*setting_get_list(s, p->config))
                r = import_fail(p->import, entry->file, entry->line,
                                "%s: nothing of \"%s\" can be imported, and without it all would be allowed",
                                key, entry->value);
        return r;
}
