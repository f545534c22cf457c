/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of pool files share. Include it behind cmocka.h. */

#include <stdio.h>

#include "poolfile/parse.h"

/* The name of a pool file in errors. */
#define NAME "pool.conf"

/* All errors as text, each without the file's name in front where it is name. */
static inline char *errors_text(const ConfigErrors *errors, const char *name)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        for (size_t i = 0; i < errors->n; i++) {
                _cleanup_(freep) char *line = NULL;
                const char *rest;

                assert_int_equal(config_error_format(&errors->items[i], &line), 0);
                rest = startswith(line, name);
                fprintf(f, "%s%s", i > 0 ? "\n" : "", rest ? rest + 1 : line);
        }
        fclose(f);
        return text;
}

/* Reads a text that has to be good. */
static inline Config *parse(const char *text)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        Config *config = NULL;
        int r = config_parse_string(NAME, text, &config, &errors);

        if (r != 0) {
                _cleanup_(freep) char *why = errors_text(&errors, NAME);

                fail_msg("%s\nis refused: %s", text, why);
        }
        assert_int_equal(errors.n, 0);
        assert_non_null(config);
        return config;
}

static inline char *dump(const Config *config)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        config_dump(config, f);
        fclose(f);
        return text;
}

static inline void assert_default(const Config *config)
{
        _cleanup_(config_freep) Config *defaults = NULL;
        _cleanup_(freep) char *a = NULL, *b = NULL;

        assert_int_equal(config_new(&defaults), 0);
        a = dump(config);
        b = dump(defaults);
        assert_string_equal(a, b);
}

/* Reads a text that has to be refused with just these errors, one a line. */
static inline void assert_refused(const char *text, const char *expected)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(freep) char *why = NULL;
        Config *config = NULL;
        int r = config_parse_string(NAME, text, &config, &errors);

        if (r == 0)
                config_free(config);
        if (r != -EINVAL)
                fail_msg("%s\nreturns %d", text, r);
        assert_null(config);
        why = errors_text(&errors, NAME);
        if (!streq(why, expected))
                fail_msg("%s\nis refused with\n%s\nnot with\n%s", text, why, expected);
}
