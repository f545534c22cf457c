/* SPDX-License-Identifier: MIT */

#include "helpers/text.h"
#include "base/util.h"
#include "helpers/unit.h"

void assert_has(const char *text, const char *part)
{
        if (!strstr(text, part))
                fail_msg("\"%s\" is not in:\n%s", part, text);
}

void assert_has_not(const char *text, const char *part)
{
        if (strstr(text, part))
                fail_msg("\"%s\" is in:\n%s", part, text);
}

void set_string(char **to, const char *value)
{
        free(*to);
        *to = strdup(value);
        assert_non_null(*to);
}

void set_param(Params *params, const char *name, const char *value)
{
        assert_int_equal(params_set(params, name, strlen(name), value, strlen(value)), 0);
}

void set_variable(Params *params, const char *variable)
{
        const char *value = strchr(variable, '=');

        if (variable[0] == '!') {
                params_unset(params, variable + 1);
                return;
        }
        assert_non_null(value);
        assert_int_equal(params_set(params, variable, (size_t) (value - variable), value + 1,
                                    strlen(value + 1)),
                         0);
}
