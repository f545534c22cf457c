/* SPDX-License-Identifier: MIT */

/*
 * Makes the source of php-pool.conf(5), in scdoc(5): copies the file named on the command line to standard
 * output and puts the list of settings, from settings.def, in the place of the line @SETTINGS@, and that of
 * the codes of access.format, from access.def, in the place of @ACCESS_CODES@. Runs when the project is
 * built; never installed.
 */

#include <stdio.h>

#include "base/log.h"
#include "config/access.h"
#include "poolfile/dump.h"

#define LINE_SIZE_MAX 4096

/* Writes text for scdoc(5), from the start of a line on, so that it stands in the page as it is here. */
static void write_manual_text(const char *text, FILE *f)
{
        if (*text && strchr("#-;[]|`", *text))
                fputc('\\', f);
        for (; *text; text++) {
                if (strchr("\\*_", *text))
                        fputc('\\', f);
                fputc(*text, f);
        }
}

/* The output of a function below, as a new string; NULL without memory. */
static char *text_of(void (*write)(const Setting *s, const Config *config, FILE *f), const Setting *s,
                     const Config *config)
{
        char *text = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&text, &size);
        if (!f)
                return NULL;
        write(s, config, f);
        if (fclose(f) == 0)
                return text;
        free(text);
        return NULL;
}

static void write_description(const Setting *s, _unused_ const Config *config, FILE *f)
{
        setting_describe(s, f);
}

static int write_man_setting(const Setting *s, const Config *config, FILE *f)
{
        _cleanup_(freep) char *description = text_of(write_description, s, config);
        _cleanup_(freep) char *value = text_of(setting_write, s, config);

        if (!description || !value)
                return -ENOMEM;

        fputc('*', f);
        write_manual_text(s->key, f);
        fputs("*\n\t", f);
        write_manual_text(s->help, f);
        fputs("++\nValue: ", f); /* behind "++", scdoc takes a tab for text */
        write_manual_text(description, f);
        fputs(". Default: ", f);
        write_manual_text(value, f);
        fputs(".\n\n", f);
        return 0;
}

/* The length of the group's name in a key, 0 for a setting at the top of the file. */
static size_t group_length(const char *key)
{
        const char *dot = strchr(key, '.');

        return dot ? (size_t) (dot - key) : 0;
}

static int write_settings(FILE *f)
{
        _cleanup_(config_freep) Config *config = NULL;
        int r;

        r = config_new(&config);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                size_t n = group_length(settings[i].key);

                if (i == 0 || n != group_length(settings[i - 1].key) ||
                    strncmp(settings[i].key, settings[i - 1].key, n) != 0) {
                        if (n > 0)
                                fprintf(f, "## Group %.*s\n\n", (int) n, settings[i].key);
                        else
                                fputs("## Outside of groups\n\n", f);
                }
                r = write_man_setting(&settings[i], config, f);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The codes of one row, as they are written: "%d" or "%{seconds}d". */
static void write_code(AccessCode code, FILE *f)
{
        const AccessCodeInfo *info = &access_codes[code];
        bool first = info->letter != access_codes[code - 1].letter;

        fputc('*', f);
        if (info->argument != ACCESS_ARGUMENT_NAME && (info->argument != ACCESS_ARGUMENT_WORD || first)) {
                fprintf(f, "%%%c", info->letter);
                if (info->argument != ACCESS_ARGUMENT_NONE)
                        fputs(", ", f);
        }
        if (info->argument == ACCESS_ARGUMENT_FORMAT)
                fprintf(f, "%%{format}%c", info->letter);
        else if (info->argument != ACCESS_ARGUMENT_NONE)
                fprintf(f, "%%{%.*s}%c", (int) strcspn(info->words, " "), info->words, info->letter);
        fputs("*\n\t", f);
        write_manual_text(info->help, f);
        fputs("\n\n", f);
}

static int write_codes(FILE *f)
{
        for (AccessCode code = ACCESS_TEXT + 1; code < _ACCESS_CODE_MAX; code++)
                write_code(code, f);
        return 0;
}

/* What is put in the place of which line. */
static const struct {
        const char *line;
        int (*write)(FILE *f);
} markers[] = {
        { "@SETTINGS@\n", write_settings },
        { "@ACCESS_CODES@\n", write_codes },
};

static int copy_line(const char *line, FILE *out)
{
        for (size_t i = 0; i < ELEMENTSOF(markers); i++)
                if (streq(line, markers[i].line))
                        return markers[i].write(out);
        fputs(line, out);
        return 0;
}

static int copy_page(FILE *in, FILE *out)
{
        char line[LINE_SIZE_MAX];

        while (fgets(line, sizeof line, in)) {
                int r = copy_line(line, out);

                if (r < 0)
                        return r;
        }
        return ferror(in) || fflush(out) != 0 ? -EIO : 0;
}

int main(int argc, char *argv[])
{
        FILE *in;
        int r;

        if (argc != 2) {
                log_error("Usage: settings-man PAGE.in > PAGE");
                return EXIT_FAILURE;
        }
        in = fopen(argv[1], "re");
        if (!in) {
                log_error_errno(errno, "Failed to open %s: %m", argv[1]);
                return EXIT_FAILURE;
        }

        r = copy_page(in, stdout);
        if (r < 0)
                log_error_errno(r, "Failed to make the manual page: %m");
        fclose(in);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
