/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a file of PHP-FPM. What is refused must come with a line; each value that is read must come
 * out of a line of PHP's ini syntax as it went in, as import writes such lines.
 */

#include <stdio.h>
#include <stdlib.h>

#include "ctl/import/fpm-file.h"
#include "ctl/import/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int ignore_section(unsigned line _unused_, const char *name _unused_, void *userdata _unused_)
{
        return 0;
}

static const char *get_variable(unsigned line _unused_, const char *name, void *userdata _unused_)
{
        return streq(name, "A") ? "it's \"${A}\\" : NULL;
}

static int compare_entry(unsigned line _unused_, const char *name, const char *key _unused_,
                         const char *value, void *userdata)
{
        if (!streq(name, "x") || !streq(value, userdata))
                abort();
        return 0;
}

static int check_entry(unsigned line, const char *name _unused_, const char *key _unused_, const char *value,
                       void *userdata _unused_)
{
        const FpmReader reader = { ignore_section, compare_entry, get_variable, (void *) value };
        _cleanup_(freep) char *text = NULL;
        FpmError error = {};

        if (line == 0)
                abort();
        /* Nobody writes such a line: a setting cannot hold it. */
        for (const char *p = value; *p; p++)
                if ((uint8_t) *p < ' ' && *p != '\t')
                        return 0;
        if (ini_line_format("x", value, &text) < 0)
                return -ENOMEM;
        if (fpm_file_parse(text, strlen(text), &reader, &error) != 0)
                abort();
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const FpmReader reader = { ignore_section, check_entry, get_variable, NULL };
        FpmError error = {};
        int r;

        r = fpm_file_parse((const char *) data, size, &reader, &error);
        if (r == -EINVAL ? error.line == 0 || !*error.text : r != 0 && r != -ENOMEM)
                abort();
        return 0;
}
