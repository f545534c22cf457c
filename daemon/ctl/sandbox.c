/* SPDX-License-Identifier: MIT */

/*
 * Weighs the directives of a unit that concern paths: see sandbox.h. Of the directives that hold for a
 * path, the one with the deepest place counts, and of two with the same place the stricter one.
 */

#include "ctl/sandbox.h"

#include <stdio.h>
#include <strings.h>

typedef struct Judge {
        const char *pool, *path;
        Sandbox *best;
} Judge;

/* Takes a directive's place into account. */
static void weigh_place(Judge *j, SandboxVerdict verdict, const char *by, const char *there)
{
        size_t n = strlen(by), best = strlen(j->best->by);

        while (n > 1 && by[n - 1] == '/')
                n--;
        if (n == 0 || *by != '/' || n >= sizeof j->best->by || strncmp(j->path, by, n) != 0 ||
            (n > 1 && j->path[n] && j->path[n] != '/') || n < best ||
            (n == best && verdict <= j->best->verdict))
                return;
        j->best->verdict = verdict;
        (void) snprintf(j->best->by, sizeof j->best->by, "%.*s", (int) n, by);
        (void) snprintf(j->best->there, sizeof j->best->there, "%s", there);
}

static void weigh_all(Judge *j, SandboxVerdict verdict, const char *const *places)
{
        for (; *places; places++)
                weigh_place(j, verdict, *places, "");
}

/* The path with the pool's name in the place of "%i". */
static void expand_pool_name(const Judge *j, const char *word, char ret[static PATH_MAX])
{
        size_t n = 0;

        for (; *word && n < PATH_MAX - 1; word++)
                if (*word == '%' && word[1] && strchr("iI", word[1])) {
                        n += (size_t) snprintf(ret + n, PATH_MAX - n, "%s", j->pool);
                        n = MIN(n, (size_t) PATH_MAX - 1);
                        word++;
                } else
                        ret[n++] = *word;
        ret[n] = 0;
}

/* "SOURCE", or "SOURCE:DESTINATION" and perhaps options behind another ":". */
static void weigh_bind(Judge *j, char *word)
{
        char *destination = strchr(word, ':');

        if (!destination) {
                weigh_place(j, SANDBOX_OPEN, word, "");
                return;
        }
        *destination++ = 0;
        destination[strcspn(destination, ":")] = 0;
        weigh_place(j, streq(word, destination) ? SANDBOX_OPEN : SANDBOX_OWN, destination, word);
}

static void weigh_elsewhere(Judge *j, char *word)
{
        char *colon = strchr(word, ':');

        if (colon)
                word = colon[1] == '/' ? colon + 1 : (*colon = 0, word);
        word[strcspn(word, ":")] = 0;
        weigh_place(j, SANDBOX_ELSEWHERE, word, "");
}

/* A directory that the unit makes, below the one where such directories are. */
static void weigh_directory(Judge *j, const char *parent, const char *word)
{
        char path[PATH_MAX];

        (void) snprintf(path, sizeof path, "%s%.*s", parent, (int) strcspn(word, ":"), word);
        weigh_place(j, SANDBOX_OPEN, path, "");
}

static void weigh_word(Judge *j, const char *key, char *word)
{
        static const char *const parents[][2] = { { "RuntimeDirectory", "/run/" },
                                                  { "StateDirectory", "/var/lib/" },
                                                  { "CacheDirectory", "/var/cache/" },
                                                  { "LogsDirectory", "/var/log/" } };
        char path[PATH_MAX];

        expand_pool_name(j, word + strspn(word, "-+"), path);
        if (startswith(key, "ReadWrite"))
                weigh_place(j, SANDBOX_OPEN, path, "");
        else if (startswith(key, "ReadOnly"))
                weigh_place(j, SANDBOX_READ_ONLY, path, "");
        else if (startswith(key, "Inaccessible"))
                weigh_place(j, SANDBOX_HIDDEN, path, "");
        else if (streq(key, "BindPaths"))
                weigh_bind(j, path);
        else if (streq(key, "BindReadOnlyPaths") || streq(key, "TemporaryFileSystem"))
                weigh_elsewhere(j, path);
        else if (streq(key, "RootDirectory") || streq(key, "RootImage"))
                weigh_place(j, SANDBOX_ELSEWHERE, j->path, "");
        for (size_t i = 0; i < ELEMENTSOF(parents); i++)
                if (streq(key, parents[i][0]))
                        weigh_directory(j, parents[i][1], path);
}

static bool is_yes(const char *value)
{
        static const char *const words[] = { "yes", "true", "on", "1", "y", "t" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(value, words[i]) == 0)
                        return true;
        return false;
}

/* Directives that stand for several places. */
static void weigh_protections(Judge *j, const UnitFile *unit)
{
        static const char *const system[] = { "/usr", "/boot", "/efi", NULL }, *const etc[] = { "/etc",
                                                                                                NULL };
        static const char *const all[] = { "/", NULL }, *const devices[] = { "/dev", "/proc", "/sys", NULL };
        static const char *const homes[] = { "/home", "/root", "/run/user", NULL };
        static const char *const temporary[] = { "/tmp", "/var/tmp", NULL };
        const char *protect_system = unit_file_get(unit, "Service", "ProtectSystem");
        const char *home = unit_file_get(unit, "Service", "ProtectHome");
        bool strict = streq(protect_system, "strict"), full = streq(protect_system, "full");

        if (strict) {
                weigh_all(j, SANDBOX_READ_ONLY, all);
                weigh_all(j, SANDBOX_OPEN, devices);
        } else if (full || is_yes(protect_system))
                weigh_all(j, SANDBOX_READ_ONLY, system);
        if (full)
                weigh_all(j, SANDBOX_READ_ONLY, etc);
        if (streq(home, "read-only"))
                weigh_all(j, SANDBOX_READ_ONLY, homes);
        else if (is_yes(home) || streq(home, "tmpfs"))
                weigh_all(j, SANDBOX_HIDDEN, homes);
        if (is_yes(unit_file_get(unit, "Service", "PrivateTmp")))
                weigh_all(j, SANDBOX_OWN, temporary);
}

int sandbox_judge(const UnitFile *unit, const char *pool, const char *path, Sandbox *ret)
{
        Judge j = { .pool = pool, .path = path, .best = ret };

        assert(*path == '/');

        *ret = (Sandbox){ .verdict = SANDBOX_OPEN };
        weigh_protections(&j, unit);
        for (size_t i = 0; i < unit->n; i++) {
                const char *value = unit->items[i].value;
                char *word;
                int r;

                if (!streq(unit->items[i].section, "Service"))
                        continue;
                while ((r = unit_next_word(&value, &word)) > 0) {
                        weigh_word(&j, unit->items[i].key, word);
                        free(word);
                }
                if (r < 0)
                        return r;
        }
        return 0;
}
