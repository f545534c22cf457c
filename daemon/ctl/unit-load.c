/* SPDX-License-Identifier: MIT */

/*
 * Finds the files of a unit: see unit-file.h. The directories and their order are systemd's for system units
 * (systemd.unit(5), UNIT FILE LOAD PATH), and so is which file hides which.
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "config/settings.h"
#include "ctl/unit-file.h"

/*
 * A file in the first directory hides those of its name in the others. The directories from VENDOR on are
 * packages'.
 */
static const char *const directories[] = {
        "/etc/systemd/system.control",   "/run/systemd/system.control", "/run/systemd/transient",
        "/etc/systemd/system",           "/run/systemd/system",         "/run/systemd/generator",
        "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",     "/lib/systemd/system",
};
#define VENDOR 7

/* The most names that a unit has drop-ins under: its own, its template's, one for each "-", and aliases. */
#define NAMES_MAX 32

/* The text of a file, a new string; NULL where it cannot be read. /dev/null is an empty one. */
static char *read_unit_text(const char *path)
{
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        void *text;
        size_t size;

        return fd >= 0 && io_read_file(fd, UNIT_FILE_SIZE_MAX, &text, &size) >= 0 ? text : NULL;
}

static bool has_line_of(const UnitFile *unit, const UnitAssignment *a)
{
        for (size_t i = 0; i < unit->n; i++)
                if (streq(unit->items[i].section, a->section) && streq(unit->items[i].key, a->key) &&
                    streq(unit->items[i].value, a->value))
                        return true;
        return false;
}

/* Marks the assignments that a copy of a package's file has from that file. */
static int mark_copied(UnitFile *unit, const char *vendor_text)
{
        _cleanup_(unit_file_freep) UnitFile *vendor = NULL;
        int r;

        r = unit_file_new(unit->name, &vendor);
        if (r >= 0)
                r = unit_file_parse(vendor, "", vendor_text, true);
        for (size_t i = 0; r >= 0 && i < unit->n; i++)
                unit->items[i].vendor = has_line_of(vendor, &unit->items[i]);
        return r;
}

/* Reads the unit's own file of this name: the first one counts; one of a package is compared with it. */
static int load_main(const char *root, UnitFile *unit, const char *name)
{
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(directories) && r >= 0; i++) {
                _cleanup_(freep) char *path = NULL, *text = NULL;

                if (text_format(&path, "%s%s/%s", root, directories[i], name) < 0)
                        return -ENOMEM;
                text = read_unit_text(path);
                if (!text)
                        continue;
                if (unit->found && i >= VENDOR)
                        return mark_copied(unit, text);
                if (unit->found)
                        continue;
                unit->found = true;
                r = unit_file_parse(unit, path + strlen(root), text, i >= VENDOR);
                if (i >= VENDOR)
                        return r;
        }
        return r;
}

typedef struct Names {
        char *names[NAMES_MAX];
        size_t n;
} Names;

static void names_clear(Names *names)
{
        for (size_t i = 0; i < names->n; i++)
                free(names->names[i]);
}

static int add_name(Names *names, const char *name, size_t n, const char *suffix)
{
        if (names->n == NAMES_MAX)
                return 0;
        if (text_format(&names->names[names->n], "%.*s%s", (int) n, name, suffix) < 0)
                return -ENOMEM;
        names->n++;
        return 0;
}

/* The names whose drop-ins "a-b@c.service" has: its own, "a-b@.service" and "a-.service". */
static int add_forms(Names *names, const char *name)
{
        const char *suffix = strrchr(name, '.') ?: "", *at = strchr(name, '@');
        size_t stem = at ? (size_t) (at - name) : (size_t) (suffix - name);
        int r;

        r = add_name(names, name, strlen(name), "");
        if (r >= 0 && at)
                r = add_name(names, name, (size_t) (at + 1 - name), suffix);
        for (size_t n = stem; n > 0 && r >= 0; n--)
                if (name[n - 1] == '-' && n < stem)
                        r = add_name(names, name, n, suffix);
        return r;
}

/* Adds the aliases that links in the directory make. */
static int add_aliases(Names *names, const char *directory, const char *name)
{
        DIR *d = opendir(directory);
        struct dirent *entry;
        int r = 0;

        while (d && r >= 0 && (entry = readdir(d))) {
                char target[PATH_MAX];
                const char *base;
                ssize_t n;

                n = readlinkat(dirfd(d), entry->d_name, target, sizeof target - 1);
                if (n <= 0)
                        continue;
                target[n] = 0;
                base = strrchr(target, '/') ? strrchr(target, '/') + 1 : target;
                if (streq(base, name) && !streq(entry->d_name, name))
                        r = add_forms(names, entry->d_name);
        }
        if (d)
                (void) closedir(d);
        return r;
}

static int find_names(const char *root, const char *name, Names *names)
{
        int r;

        r = add_forms(names, name);
        for (size_t i = 0; i < ELEMENTSOF(directories) && r >= 0; i++) {
                char path[PATH_MAX];

                (void) snprintf(path, sizeof path, "%s%s", root, directories[i]);
                r = add_aliases(names, path, name);
        }
        return r < 0 ? r : add_name(names, "service", strlen("service"), "");
}

typedef struct DropIn {
        char *path;
        const char *name; /* within it */
} DropIn;

typedef struct DropIns {
        DropIn items[UNIT_DROP_INS_MAX];
        size_t n;
} DropIns;

static void drop_ins_free(DropIns *d)
{
        for (size_t i = 0; d && i < d->n; i++)
                free(d->items[i].path);
        free(d);
}
DEFINE_CLEANUP(DropIns *, drop_ins_free)

/* Adds the files of a directory that none of the same name hides. */
static int add_drop_ins(DropIns *drop_ins, const char *directory)
{
        DIR *d = opendir(directory);
        struct dirent *entry;
        size_t before = drop_ins->n;
        int r = 0;

        while (d && r >= 0 && (entry = readdir(d))) {
                size_t n = strlen(entry->d_name), i = 0;
                DropIn *item = &drop_ins->items[drop_ins->n];

                if (n <= strlen(".conf") || !streq(entry->d_name + n - strlen(".conf"), ".conf"))
                        continue;
                while (i < before && !streq(drop_ins->items[i].name, entry->d_name))
                        i++;
                if (i < before)
                        continue;
                if (drop_ins->n == UNIT_DROP_INS_MAX)
                        r = -E2BIG;
                else if (text_format(&item->path, "%s/%s", directory, entry->d_name) < 0)
                        r = -ENOMEM;
                else
                        item->name = strrchr(drop_ins->items[drop_ins->n++].path, '/') + 1;
        }
        if (d)
                (void) closedir(d);
        return r;
}

static int compare_drop_ins(const void *a, const void *b)
{
        return strcmp(((const DropIn *) a)->name, ((const DropIn *) b)->name);
}

static int find_drop_ins(const char *root, const Names *names, DropIns *ret)
{
        int r = 0;

        /* The drop-ins of all services come last, whatever directory they are in. */
        for (size_t i = 0; i < 2 * ELEMENTSOF(directories) && r >= 0; i++) {
                size_t n = i < ELEMENTSOF(directories) ? 0 : names->n - 1;
                size_t end = n == 0 ? names->n - 1 : names->n;

                for (; n < end && r >= 0; n++) {
                        char path[PATH_MAX];

                        (void) snprintf(path, sizeof path, "%s%s/%s.d", root,
                                        directories[i % ELEMENTSOF(directories)], names->names[n]);
                        r = add_drop_ins(ret, path);
                }
        }
        if (r >= 0)
                qsort(ret->items, ret->n, sizeof *ret->items, compare_drop_ins);
        return r;
}

static int load_drop_ins(const char *root, UnitFile *unit)
{
        _cleanup_(names_clear) Names names = {};
        _cleanup_(drop_ins_freep) DropIns *drop_ins = calloc(1, sizeof *drop_ins);
        int r;

        if (!drop_ins)
                return -ENOMEM;
        r = find_names(root, unit->name, &names);
        if (r >= 0)
                r = find_drop_ins(root, &names, drop_ins);
        for (size_t i = 0; r >= 0 && i < drop_ins->n; i++) {
                _cleanup_(freep) char *text = read_unit_text(drop_ins->items[i].path);

                if (text)
                        r = unit_file_parse(unit, drop_ins->items[i].path + strlen(root), text, false);
        }
        return r;
}

int unit_file_load(const char *root, const char *name, UnitFile **ret)
{
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        const char *at = strchr(name, '@');
        int r;

        r = unit_file_new(name, &unit);
        if (r >= 0)
                r = load_main(root, unit, name);
        if (r >= 0 && !unit->found && at) {
                _cleanup_(freep) char *template = NULL;

                if (text_format(&template, "%.*s%s", (int) (at + 1 - name), name,
                                strrchr(name, '.') ?: "") < 0)
                        return -ENOMEM;
                r = load_main(root, unit, template);
        }
        if (r >= 0)
                r = load_drop_ins(root, unit);
        if (r >= 0)
                *ret = TAKE_PTR(unit);
        return r;
}

static bool list_has(char *const *list, const char *name)
{
        for (; list && *list; list++)
                if (streq(*list, name))
                        return true;
        return false;
}

static int add_to_list(char ***list, size_t *n, const char *name)
{
        char **more = reallocarray(*list, *n + 2, sizeof **list);

        if (!more)
                return -ENOMEM;
        *list = more;
        more[*n] = strdup(name);
        if (!more[*n])
                return -ENOMEM;
        more[++*n] = NULL;
        return 0;
}

int unit_list_services(const char *root, char ***ret)
{
        _cleanup_(strv_freep) char **list = calloc(1, sizeof *list);
        size_t n = 0;
        int r = list ? 0 : -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(directories) && r >= 0; i++) {
                char path[PATH_MAX];
                struct dirent *entry;
                DIR *d;

                (void) snprintf(path, sizeof path, "%s%s", root, directories[i]);
                d = opendir(path);
                while (d && r >= 0 && (entry = readdir(d))) {
                        const char *dot = strrchr(entry->d_name, '.');

                        if (dot && streq(dot, ".service") && !list_has(list, entry->d_name))
                                r = add_to_list(&list, &n, entry->d_name);
                }
                if (d)
                        (void) closedir(d);
        }
        if (r >= 0)
                *ret = TAKE_PTR(list);
        return r;
}
