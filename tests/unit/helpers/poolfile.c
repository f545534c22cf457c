/* SPDX-License-Identifier: MIT */

#include "helpers/poolfile.h"
#include "helpers/unit.h"
#include "poolfile/dump.h"

char *errors_text(const ConfigErrors *errors, const char *name)
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

Config *parse(const char *text)
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

char *dump(const Config *config)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        assert_non_null(f);
        config_dump(config, f);
        fclose(f);
        return text;
}

void assert_same(const Config *a, const Config *b)
{
        _cleanup_(freep) char *x = dump(a), *y = dump(b);

        assert_string_equal(x, y);
}

void assert_default(const Config *config)
{
        _cleanup_(config_freep) Config *defaults = NULL;

        assert_int_equal(config_new(&defaults), 0);
        assert_same(config, defaults);
}

void assert_refused(const char *text, const char *expected)
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
