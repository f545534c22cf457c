/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl import: writes the files that do here what a PHP-FPM configuration does there, and tells each
 * line that is not the same here. What is written where is import-map.c's affair; here it is written, all of
 * it or nothing, and never over a file that is there, unless that is asked for. No unit is touched.
 */

#include "ctl/import.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "ctl/ctl.h"

#define TEMPORARY_SUFFIX ".import-new"

/* Lines go where they can be told from the files: --dry-run writes these to standard output. */
static int print_notes(const Import *import)
{
        for (size_t i = 0; i < import->n_notes; i++) {
                _cleanup_(freep) char *text = NULL;
                int r;

                r = import_note_format(&import->notes[i], &text);
                if (r < 0)
                        return r;
                fprintf(stderr, "%s\n", text);
        }
        return 0;
}

static void print_files(const Import *import, const char *output)
{
        for (size_t i = 0; i < import->n_files; i++)
                printf("%s### %s%s\n%s", i > 0 ? "\n" : "", output, import->files[i].path,
                       import->files[i].text);
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

/* Writes it beside where it belongs, so that nothing is there unless all could be written. */
static int write_temporary(const char *path, const char *text)
{
        _cleanup_(fd_closep) int fd = -EBADF;

        (void) unlink(path);
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        if (fchmod(fd, 0644) < 0)
                return -errno;
        return io_write_all(fd, text, strlen(text));
}

/* What the files are called under the output directory: {path, temporary path} of each. */
typedef struct Names {
        char *path, *temporary;
} Names;

static void names_free(Names *names)
{
        for (Names *n = names; n->path; n++) {
                free(n->path);
                free(n->temporary);
        }
        free(names);
}
DEFINE_CLEANUP(Names *, names_free)

static Names *make_names(const Import *import, const char *output)
{
        _cleanup_(names_freep) Names *names = calloc(import->n_files + 1, sizeof *names);

        for (size_t i = 0; names && i < import->n_files; i++) {
                if (asprintf(&names[i].path, "%s%s", output, import->files[i].path) < 0) {
                        names[i].path = NULL;
                        return NULL;
                }
                if (asprintf(&names[i].temporary, "%s" TEMPORARY_SUFFIX, names[i].path) < 0) {
                        names[i].temporary = NULL;
                        return NULL;
                }
        }
        return TAKE_PTR(names);
}

/* Says which of them are there. */
static bool any_exists(const Names *names)
{
        struct stat st;
        bool found = false;

        for (; names->path; names++)
                if (lstat(names->path, &st) >= 0) {
                        (void) ctl_fail(0, "%s exists.", names->path);
                        found = true;
                }
        if (found)
                (void) ctl_fail(0, "Nothing was written; --force overwrites, --dry-run shows what there "
                                   "would be.");
        return found;
}

static CtlExit write_files(const Import *import, const Names *names)
{
        size_t n = 0;
        int r = 0;

        for (; names[n].path; n++) {
                r = make_parents(names[n].path);
                if (r >= 0)
                        r = write_temporary(names[n].temporary, import->files[n].text);
                if (r < 0)
                        break;
        }
        for (size_t i = 0; i < n && r >= 0; i++) {
                if (rename(names[i].temporary, names[i].path) < 0)
                        r = -errno;
                else
                        printf("%s\n", names[i].path);
                n = r < 0 ? i : n;
        }
        if (r >= 0)
                return CTL_SUCCESS;

        (void) ctl_fail(r, "Failed to write %s: %m", names[n].path);
        for (size_t i = 0; names[i].path; i++)
                (void) unlink(names[i].temporary);
        return CTL_FAILURE;
}

/* Loads and maps the file; says what is wrong with it. */
static int load(const char *path, FpmConfig **ret_fpm, Import **ret)
{
        _cleanup_(freep) char *error = NULL, *directory = NULL, *absolute = NULL;
        int r;

        /* Where it is says which php.ini goes with it. */
        directory = *path == '/' ? strdup("") : getcwd(NULL, 0);
        if (!directory || asprintf(&absolute, "%s%s%s", directory, *directory ? "/" : "", path) < 0) {
                absolute = NULL;
                r = -ENOMEM;
        } else
                r = fpm_config_load(absolute, ret_fpm, &error);
        if (r >= 0)
                r = import_map(*ret_fpm, ret, &error);
        if (r < 0)
                (void) ctl_fail(r, error ? "%s" : "Failed to import %s: %m", error ?: path);
        return r;
}

static void print_next(const FpmConfig *fpm)
{
        if (fpm->sections[0].line == 0)
                printf("\nIt has no [global]: php-fpm.conf may say more, and includes this file.");
        printf("\nThen: php-poolctl check; systemctl daemon-reload; stop PHP-FPM;\nsystemctl enable --now");
        for (size_t i = 1; i < fpm->n_sections; i++)
                printf(" php-pool@%s.socket", fpm->sections[i].name);
        printf("\nSee FROM PHP-FPM in php-pool(7).\n");
}

CtlExit verb_import(const Options *options, size_t n_args _unused_, char **args)
{
        const char *output = options->output ?: "";
        _cleanup_(fpm_config_freep) FpmConfig *fpm = NULL;
        _cleanup_(import_freep) Import *import = NULL;
        _cleanup_(names_freep) Names *names = NULL;
        CtlExit status = CTL_SUCCESS;

        if (load(args[0], &fpm, &import) < 0)
                return CTL_FAILURE;
        names = make_names(import, output);
        if (!names)
                return ctl_fail(ENOMEM, "Failed to import %s: %m", args[0]);

        if (options->dry_run)
                print_files(import, output);
        else if (!options->force && any_exists(names))
                return CTL_FAILURE;
        else
                status = write_files(import, names);
        if (status != CTL_SUCCESS)
                return status;
        if (print_notes(import) < 0)
                return ctl_fail(ENOMEM, "Failed to import %s: %m", args[0]);
        if (!options->dry_run)
                print_next(fpm);
        return import->lost ? CTL_INCOMPLETE : CTL_SUCCESS;
}
