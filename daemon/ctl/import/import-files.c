/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl import: writes the files, see import-files.h. All are written beside their places first and
 * renamed then, so that nothing is changed unless all could be written, and no file is ever there by halves.
 */

#include "ctl/import/import-files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/text.h"
#include "ctl/ctl.h"

#define TEMPORARY_SUFFIX ".import-new"

/* Bytes of a file that is there and is compared: no import has made a larger one. */
#define OLD_FILE_MAX (1024U * 1024U)

/* A file's place below the output directory. */
typedef struct Target {
        const ImportFile *file;
        char *path, *temporary;
} Target;

typedef struct Targets {
        Target *items;
        size_t n;
} Targets;

static void targets_clear(Targets *targets)
{
        for (size_t i = 0; i < targets->n; i++) {
                free(targets->items[i].path);
                free(targets->items[i].temporary);
        }
        free(targets->items);
}

static int add_target(Targets *targets, const ImportFile *file, const char *output)
{
        Target *t = &targets->items[targets->n++];

        t->file = file;
        if (text_format(&t->path, "%s%s", output, file->path) < 0)
                return -ENOMEM;
        if (text_format(&t->temporary, "%s" TEMPORARY_SUFFIX, t->path) < 0)
                return -ENOMEM;
        return 0;
}

static int make_targets(const Import *import, const char *output, Targets *ret)
{
        int r = 0;

        ret->items = calloc(import->n_files + 1, sizeof *ret->items);
        if (!ret->items)
                return -ENOMEM;
        for (size_t i = 0; i < import->n_files && r >= 0; i++)
                r = add_target(ret, &import->files[i], output);
        return r;
}

/* The text of a file, a new string; NULL where it cannot be read. */
static char *read_existing(const char *path)
{
        _cleanup_(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        void *text;
        size_t size;

        return fd >= 0 && io_read_file(fd, OLD_FILE_MAX, &text, &size) >= 0 ? text : NULL;
}

/* Whether it says nothing: the examples that are installed are such. */
static bool holds_only_comments(const char *path)
{
        _cleanup_(freep) char *text = read_existing(path);

        for (const char *p = text; p && *p; p = strchr(p, '\n')) {
                p += strspn(p, " \t\r\n");
                if (*p && *p != '#')
                        return false;
        }
        return text;
}

/* Whether an import of the same file wrote it. */
static bool has_mark(const Target *t)
{
        _cleanup_(freep) char *text = read_existing(t->path);

        return text && startswith(text, t->file->text);
}

/* The file whose import wrote it, where that is another one, a new string; NULL otherwise. */
static char *find_other_source(const Target *t)
{
        _cleanup_(freep) char *text = read_existing(t->path);
        const char *source = text ? startswith(text, IMPORT_MARK) : NULL;
        size_t n = source ? strcspn(source, "\n") : 0;

        if (n == 0 || strncmp(text, t->file->text, (size_t) (source - text) + n + 1) == 0)
                return NULL;
        return strndup(source, n - 1); /* a full stop is behind it */
}

static bool is_in_the_way(const Target *t)
{
        struct stat st;

        if (lstat(t->path, &st) < 0)
                return false;
        if (t->file->stale)
                return has_mark(t);
        return !(startswith(t->file->path, CONFIG_DIR) && S_ISREG(st.st_mode) &&
                 holds_only_comments(t->path));
}

/* There is one pool of a name, and each PHP-FPM may have one: Debian calls all of them www. */
static void tell_exists(const Target *t)
{
        const char *name = startswith(t->file->path, CONFIG_DIR "/");
        _cleanup_(freep) char *source = name ? find_other_source(t) : NULL;

        if (source)
                (void) ctl_fail(0,
                                "%s exists: a pool %.*s was imported from %s. Give one of the two sections "
                                "another name.",
                                t->path, (int) (strlen(name) - strlen(".conf")), name, source);
        else
                (void) ctl_fail(0, "%s exists.", t->path);
}

/* Says which of them are there. */
static bool any_exists(const Targets *targets)
{
        bool found = false;

        for (size_t i = 0; i < targets->n; i++)
                if (is_in_the_way(&targets->items[i])) {
                        tell_exists(&targets->items[i]);
                        found = true;
                }
        if (found)
                (void) ctl_fail(0, "Nothing was written; --force overwrites, --dry-run shows what there "
                                   "would be.");
        return found;
}

/* Makes the directories that the path goes through. 0 or -errno. */
static int make_parents(char *path)
{
        for (char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
                int r;

                *p = 0;
                r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
                *p = '/';
                if (r < 0)
                        return r;
        }
        return 0;
}

static int write_temporary(const Target *t)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        int r;

        r = make_parents(t->path);
        if (r < 0)
                return r;
        (void) unlink(t->temporary);
        fd = open(t->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0644) < 0)
                return -errno;
        return io_write_all(fd, t->file->text, strlen(t->file->text));
}

/* Both stop at the first that fails: *ret_failed. */
static int write_temporaries(const Targets *targets, size_t *ret_failed)
{
        for (size_t i = 0; i < targets->n; i++) {
                int r = targets->items[i].file->stale ? 0 : write_temporary(&targets->items[i]);

                if (r < 0) {
                        *ret_failed = i;
                        return r;
                }
        }
        return 0;
}

static int rename_temporaries(const Targets *targets, size_t *ret_failed)
{
        for (size_t i = 0; i < targets->n; i++) {
                const Target *t = &targets->items[i];
                _cleanup_(freep) char *other = t->file->stale ? NULL : find_other_source(t);

                if (t->file->stale)
                        continue;
                if (rename(t->temporary, t->path) < 0) {
                        *ret_failed = i;
                        return -errno;
                }
                printf("%s\n", t->path);
                if (other)
                        (void) ctl_fail(0, "%s had been imported from %s, and was overwritten.", t->path,
                                        other);
        }
        return 0;
}

/* Says what failed, and which files are new all the same; drops the rest. */
static void discard_files(const Targets *targets, size_t failed, bool renaming, int error)
{
        bool changed = false;

        (void) ctl_fail(error, "Failed to write %s: %m", targets->items[failed].path);
        for (size_t i = 0; i < targets->n; i++) {
                const Target *t = &targets->items[i];

                if (t->file->stale)
                        continue;
                if (renaming && i < failed) {
                        (void) ctl_fail(0, "%s was written before that, and stays.", t->path);
                        changed = true;
                } else
                        (void) unlink(t->temporary);
        }
        if (!changed)
                (void) ctl_fail(0, "Nothing was changed.");
}

/* Removes files of an earlier import. Files of others stay, and may contradict this import. */
static int remove_stale(const Targets *targets)
{
        int failed = 0;

        for (size_t i = 0; i < targets->n; i++) {
                const Target *t = &targets->items[i];
                struct stat st;

                if (!t->file->stale || lstat(t->path, &st) < 0)
                        continue;
                if (!has_mark(t))
                        (void) ctl_fail(0,
                                        "%s is not needed, but was not imported from this file, and stays.",
                                        t->path);
                else if (unlink(t->path) < 0) {
                        failed = -errno;
                        (void) ctl_fail(errno, "Failed to remove %s: %m", t->path);
                } else
                        (void) ctl_fail(0, "%s was removed: an earlier import wrote it.", t->path);
        }
        return failed;
}

int import_write_files(const Import *import, const char *output, bool force)
{
        _cleanup_(targets_clear) Targets targets = {};
        size_t failed = 0;
        bool renaming;
        int r;

        r = make_targets(import, output, &targets);
        if (r < 0) {
                (void) ctl_fail(r, "Failed to import: %m");
                return r;
        }
        if (!force && any_exists(&targets))
                return -EEXIST;

        r = write_temporaries(&targets, &failed);
        renaming = r >= 0;
        if (r >= 0)
                r = rename_temporaries(&targets, &failed);
        if (r < 0) {
                discard_files(&targets, failed, renaming, r);
                return r;
        }
        return remove_stale(&targets);
}

void import_print_files(const Import *import, const char *output)
{
        const char *before = "";

        for (size_t i = 0; i < import->n_files; i++)
                if (!import->files[i].stale) {
                        printf("%s### %s%s\n%s", before, output, import->files[i].path,
                               import->files[i].text);
                        before = "\n";
                }
}
