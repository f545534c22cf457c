/* SPDX-License-Identifier: MIT */

/*
 * PHP-FPM's files and its unit as php-poolctl imports them. The input is files, each up to a byte 0x1e:
 * php-fpm.conf, the unit, and those that the first may include as "@/1" and "@/2". What comes out is pool
 * files that are read without an error, and drop-ins of which each line is what a unit may have.
 */

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "ctl/import/import.h"
#include "input.h"
#include "libconfig-leaks.h"
#include "poolfile/parse.h"

#define INCLUDED 2
#define FILE_END 0x1e

static const char *directory;

static void remove_directory(void)
{
        for (unsigned i = 1; i <= INCLUDED; i++) {
                _cleanup_(freep) char *path = NULL;

                CHECK(text_format(&path, "%s/%u", directory, i) == 0);
                (void) unlink(path);
        }
        (void) rmdir(directory);
}

static void make_directory(void)
{
        static char path[] = "/tmp/php-pool-fuzz.XXXXXX";

        if (directory)
                return;
        directory = mkdtemp(path);
        CHECK(directory && atexit(remove_directory) == 0);
}

/* The text with "@/" as the directory. Elsewhere nothing is included: NULL where a text tries. */
static char *with_directory(const char *text)
{
        char *result;
        Text t;

        for (const char *p = text; (p = strstr(p, "include")); p += strlen("include")) {
                size_t n = strspn(p + strlen("include"), " \t");

                if (!startswith(p + strlen("include") + n, "=@/") || strstr(p, ".."))
                        return NULL;
        }
        CHECK(text_open(&t) == 0);
        for (; *text; text++)
                fprintf(t.f, "%s%.*s", text[0] == '@' && text[1] == '/' ? directory : "",
                        text[0] == '@' && text[1] == '/' ? 0 : 1, text);
        CHECK(text_close(&t, 0, &result) == 0);
        return result;
}

static bool write_included(Input *in)
{
        for (unsigned i = 1; i <= INCLUDED; i++) {
                _cleanup_(freep) char *text = input_until(in, FILE_END), *good = with_directory(text),
                                      *path = NULL;
                _cleanup_(fd_closep) int fd = -EBADF;

                if (!good)
                        return false;
                CHECK(text_format(&path, "%s/%u", directory, i) == 0);
                fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
                CHECK(fd >= 0 && write(fd, good, strlen(good)) == (ssize_t) strlen(good));
        }
        return true;
}

static const char *get_variable(const char *name, void *userdata)
{
        static char *value;

        free(TAKE_PTR(value));
        return import_unit_variable(userdata, name, &value) >= 0 ? value : NULL;
}

/* A comment, a section, "Key=value", or nothing. A key is ours, or one of PHP-FPM's unit. */
static void check_unit_line(const char *line)
{
        CHECK(!*line || *line == '#' || *line == '[' || (*line >= 'A' && *line <= 'Z' && strchr(line, '=')));
}

static void check_unit(const char *text)
{
        Input in = { (const uint8_t *) text, strlen(text) };

        while (in.left > 0) {
                _cleanup_(freep) char *line = input_line(&in);

                check_unit_line(line);
        }
}

static void check_pool(const ImportFile *file)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;

        CHECK(config_parse_string(file->path, file->text, &config, &errors) == 0);
}

static void check(const Import *import)
{
        for (size_t i = 0; i < import->n_notes; i++) {
                _cleanup_(freep) char *text = NULL;

                CHECK(import_note_format(&import->notes[i], &text) == 0 && !strchr(text, '\n'));
        }
        for (size_t i = 0; i < import->n_files; i++) {
                const ImportFile *file = &import->files[i];

                if (file->stale)
                        continue;
                if (startswith(file->path, CONFIG_DIR))
                        check_pool(file);
                else
                        check_unit(file->text);
        }
}

static void map(const char *text, const char *unit_text, Input *in)
{
        _cleanup_(fpm_config_freep) FpmConfig *fpm = NULL;
        _cleanup_(unit_file_freep) UnitFile *unit = NULL;
        _cleanup_(import_freep) Import *import = NULL;
        _cleanup_(freep) char *error = NULL;
        int r;

        if (!write_included(in))
                return;
        CHECK(unit_file_new("php-fpm.service", &unit) == 0);
        CHECK(unit_file_parse(unit, "unit", unit_text, false) == 0);
        r = fpm_config_load_text("x", text, strlen(text), &(FpmEnvironment){ get_variable, unit, "8.2" },
                                 &fpm, &error);
        if (r >= 0)
                r = import_map(fpm, *unit_text ? unit : NULL, false, &import, &error);
        CHECK(r == 0 || (r == -EINVAL && error && *error && !strchr(error, '\n')));
        if (r == 0)
                check(import);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Input in = { data, size };
        _cleanup_(freep) char *text = input_until(&in, FILE_END), *unit = input_until(&in, FILE_END),
                              *good = NULL;

        make_directory();
        good = with_directory(text);
        if (good)
                map(good, unit, &in);
        return 0;
}
