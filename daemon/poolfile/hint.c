/* SPDX-License-Identifier: MIT */

/*
 * Hints behind "unknown setting" and "syntax error": see hint.h. Pure, and only for people: no decision
 * depends on a hint. PHP-FPM's words come from fpm.def, ours from settings.def.
 */

#include "poolfile/hint.h"

#include <ctype.h>
#include <stdio.h>

#include "config/settings.h"

#define WORD_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

static const struct {
        const char *name;
        const char *key;   /* the setting's, or NULL */
        const char *where; /* otherwise */
} directives[] = {
#define FPM(name, scope, type, how, key, where) { name, key, where },
#include "poolfile/fpm.def"
};

/* The number of characters to insert, remove or replace; both strings are at most HINT_INPUT_MAX long. */
static size_t edit_distance(const char *a, const char *b)
{
        size_t row[HINT_INPUT_MAX + 1], n = strlen(b);

        for (size_t j = 0; j <= n; j++)
                row[j] = j;
        for (size_t i = 0; a[i]; i++) {
                size_t diagonal = row[0];

                row[0] = i + 1;
                for (size_t j = 0; j < n; j++) {
                        size_t replaced = diagonal + (a[i] != b[j]);

                        diagonal = row[j + 1];
                        row[j + 1] = MIN(MIN(diagonal, row[j]) + 1, replaced);
                }
        }
        return row[n];
}

static const char *last_part(const char *path)
{
        const char *dot = strrchr(path, '.');

        return dot ? dot + 1 : path;
}

/*
 * The distance of a key from the word in the file: by the whole path, or by the last part in a wrong
 * group.
 */
static size_t key_distance(const char *path, const char *key)
{
        size_t whole = edit_distance(path, key);
        size_t last = edit_distance(last_part(path), last_part(key));

        /* Among keys with the same last part, the one in the nearer group comes first. */
        return MIN(whole * 2, last * 2 + 1);
}

/* The nearest key that a slip of the hand could have turned into path, or NULL. */
static const char *nearest_key(const char *path)
{
        size_t best = MIN(strlen(last_part(path)) / 3, (size_t) 3) * 2 + 2;
        const char *key = NULL;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                size_t distance = key_distance(path, settings[i].key);

                if (distance < best) {
                        best = distance;
                        key = settings[i].key;
                }
        }
        return key;
}

/* The nearest group for a name at the top of the file, as the length of it in the key that is returned. */
static const char *nearest_group(const char *name, size_t *ret_length)
{
        size_t best = MIN(strlen(name) / 3, (size_t) 2) + 1;
        const char *found = NULL;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                const char *dot = strchr(settings[i].key, '.');
                char group[HINT_INPUT_MAX];
                size_t distance;

                if (!dot)
                        continue;
                (void) snprintf(group, sizeof group, "%.*s", (int) (dot - settings[i].key), settings[i].key);
                distance = edit_distance(name, group);
                if (distance < best) {
                        best = distance;
                        found = settings[i].key;
                        *ret_length = (size_t) (dot - settings[i].key);
                }
        }
        return found;
}

const char *hint_fpm(const char *name, char *buffer)
{
        buffer[0] = 0;
        for (size_t i = 0; i < ELEMENTSOF(directives); i++)
                if (streq(directives[i].name, name))
                        (void) snprintf(buffer, HINT_SIZE_MAX, "; PHP-FPM's %s is %s here", name,
                                        directives[i].key ? directives[i].key : directives[i].where);
        return buffer;
}

const char *hint_unknown(const char *path, char *buffer)
{
        const char *key, *group;
        size_t length = 0;

        if (*hint_fpm(path, buffer) || strlen(path) > HINT_INPUT_MAX)
                return buffer;

        group = strchr(path, '.') ? NULL : nearest_group(path, &length);
        key = nearest_key(path);
        if (group)
                (void) snprintf(buffer, HINT_SIZE_MAX, "; did you mean the group %.*s?", (int) length,
                                group);
        else if (key)
                (void) snprintf(buffer, HINT_SIZE_MAX, "; did you mean %s?", key);
        return buffer;
}

/* How a setting with this key, or the one for this directive of PHP-FPM, is written; false for neither. */
static bool hint_key(const char *word, char *buffer)
{
        const char *key = setting_find(word) ? word : NULL, *dot;

        for (size_t i = 0; i < ELEMENTSOF(directives) && !key; i++)
                if (streq(directives[i].name, word))
                        key = directives[i].key;
        if (!key)
                return *hint_fpm(word, buffer);

        dot = strchr(key, '.');
        if (!dot)
                return false;
        (void) snprintf(buffer, HINT_SIZE_MAX, "; write %.*s = { %s = …; };", (int) (dot - key), key,
                        dot + 1);
        return true;
}

/* Whether a value that starts here lacks its quotes: a word, or a number with a unit. */
static bool is_bare_word(const char *value)
{
        size_t n = strspn(value, WORD_CHARACTERS "/");

        if (n == 0 || strspn(value, "-.0123456789") >= n)
                return false;
        return strncasecmp(value, "true", n) != 0 && strncasecmp(value, "false", n) != 0 &&
               strncasecmp(value, "0x", 2) != 0;
}

/* Whether some "name = value" of the line has such a value. */
static bool has_bare_word(const char *line)
{
        for (const char *p = line; (p = strpbrk(p, "=:"));) {
                p++;
                p += strspn(p, " \t");
                if (is_bare_word(p))
                        return true;
        }
        return false;
}

const char *hint_syntax(const char *line, char *buffer)
{
        char word[HINT_INPUT_MAX];
        size_t n;

        buffer[0] = 0;
        line += strspn(line, " \t");
        n = strspn(line, WORD_CHARACTERS);
        (void) snprintf(word, sizeof word, "%.*s%s", (int) MIN(n, sizeof word - 3), line,
                        line[n] == '[' ? "[]" : "");

        if (line[0] == ';')
                (void) snprintf(buffer, HINT_SIZE_MAX, "; a comment starts with # or //");
        else if (line[0] == '[' && isalpha((unsigned char) line[1]))
                (void) snprintf(buffer, HINT_SIZE_MAX,
                                "; there are no sections: the file's name is the pool's");
        else if ((strpbrk(word, ".[") || (has_bare_word(line) && !strchr(line, '{'))) &&
                 hint_key(word, buffer))
                return buffer;
        else if (has_bare_word(line))
                (void) snprintf(buffer, HINT_SIZE_MAX,
                                "; a value that is no plain number, true or false stands in quotes");
        return buffer;
}
