/* SPDX-License-Identifier: MIT */

/*
 * The errors of a pool file: see errors.h.
 *
 * The list belongs to the caller of config_parse_file(), over several files if it likes. It is bounded, but
 * it goes on counting: a file is refused also when there was no more room to say why.
 */

#include "poolfile/errors.h"

#include <stdarg.h>
#include <stdio.h>

static void error_free(ConfigError *error)
{
        free(error->file);
        free(error->key);
        free(error->text);
}

void config_errors_clear(ConfigErrors *errors)
{
        for (size_t i = 0; i < errors->n; i++)
                error_free(&errors->items[i]);
        free(errors->items);
        *errors = (ConfigErrors) {};
}

/* Takes over the text. */
static int errors_append(ConfigErrors *errors, const char *file, unsigned line, const char *key, char *text)
{
        ConfigError error = { .line = line, .text = text };
        ConfigError *items;

        error.file = strdup(file);
        error.key = key ? strdup(key) : NULL;
        items = reallocarray(errors->items, errors->n + 1, sizeof *items);
        if (items)
                errors->items = items;
        if (!error.file || (key && !error.key) || !items) {
                error_free(&error);
                return -ENOMEM;
        }
        errors->items[errors->n++] = error;
        return 0;
}

int config_errors_add(ConfigErrors *errors, const char *file, unsigned line, const char *key,
                      const char *format, ...)
{
        va_list ap;
        char *text;
        int r;

        assert(file);

        if (errors->n >= CONFIG_ERRORS_MAX) {
                errors->n_dropped++;
                return 0;
        }
        if (errors->n == CONFIG_ERRORS_MAX - 1) {
                format = "too many errors, further ones are not shown";
                key = NULL;
        }

        va_start(ap, format);
        r = vasprintf(&text, format, ap);
        va_end(ap);
        if (r < 0)
                return -ENOMEM;
        return errors_append(errors, file, line, key, text);
}

int config_error_format(const ConfigError *error, char **ret)
{
        char line[16] = "";
        char *text;

        if (error->line > 0)
                (void) snprintf(line, sizeof line, "%u: ", error->line);
        if (asprintf(&text, "%s:%s%s%s%s%s", error->file, error->line > 0 ? "" : " ", line,
                     error->key ? error->key : "", error->key ? ": " : "", error->text) < 0)
                return -ENOMEM;

        *ret = text;
        return 0;
}

char *config_errors_format(const ConfigErrors *errors)
{
        char *text = NULL;

        for (size_t i = 0; i < errors->n; i++) {
                _cleanup_(freep) char *line = NULL, *before = text;

                if (config_error_format(&errors->items[i], &line) < 0)
                        continue;
                if (asprintf(&text, "%s%s%s", before ?: "", before ? "\n" : "", line) < 0)
                        text = NULL;
        }
        return text;
}
