/* SPDX-License-Identifier: MIT */

/*
 * Any parameters, "NAME=value" a line, as a request: the script that they mean is one of them, and so are
 * their former values. The first byte says which rules hold. There are files for whatever ends in ".php",
 * and no others.
 */

#include "input.h"
#include "worker/request/script.h"

static bool ends(const char *s, const char *end)
{
        size_t n = strlen(s), m = strlen(end);

        return n >= m && streq(s + n - m, end);
}

static bool is_regular(const char *path)
{
        return ends(path, ".php");
}

static bool exists(const char *path)
{
        return is_regular(path) || ends(path, "/dir");
}

static Params *read_params(Input *in)
{
        Params *params;

        CHECK(params_new(&params) == 0);
        while (in->left > 0) {
                _cleanup_(freep) char *line = input_line(in);
                char *value = strchr(line, '=');
                int r;

                if (!value)
                        continue;
                r = params_set(params, line, (size_t) (value - line), value + 1, strlen(value + 1));
                CHECK(r == 0 || r == -E2BIG);
        }
        return params;
}

/* Whether the string is, or is the end of, a parameter's value. */
static bool is_of_params(const Params *params, const char *s)
{
        for (size_t i = 0; i < params_count(params); i++)
                if (ends(params_at(params, i)->value, s))
                        return true;
        return false;
}

static void check_params(const Params *params)
{
        for (size_t i = 0; i < params_count(params); i++) {
                const Param *p = params_at(params, i);

                CHECK(p->name[p->name_size] == 0 && p->value[p->value_size] == 0);
                CHECK(params_get(params, p->name, NULL) == p->value);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        Input in = { data, size };
        uint8_t first = input_byte(&in);
        const ScriptRules rules = {
                .fix_pathinfo = first & 1,
                .discard_path = first & 2,
                .doc_root = first & 4 ? "/root" : NULL,
                .decoding = (ProxyDecoding) (first / 8 % 3),
        };
        const ScriptFiles files = { exists, is_regular };
        _cleanup_(params_freep) Params *params = read_params(&in);
        Script script = {};
        int r;

        r = script_find(params, &rules, &files, &script);
        CHECK(r == 0 || r == -E2BIG);
        check_params(params);
        if (r < 0)
                return 0;
        CHECK(!script.path || is_of_params(params, script.path) || rules.doc_root);
        CHECK(!script.uri || is_of_params(params, script.uri));
        if (rules.fix_pathinfo && script.path && script_is_below(script.path, "/srv"))
                CHECK(startswith(script.path, "/srv/"));
        return 0;
}
