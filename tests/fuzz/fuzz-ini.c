/* SPDX-License-Identifier: MIT */

/* Any text as an ini file: names are not empty where a value is, and what is refused says where and why. */

#include <stdlib.h>

#include "config/ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_entry(const char *section, const char *name, const char *value, void *userdata)
{
        const size_t *size = userdata;

        if (strlen(section) > *size || strlen(name) > *size || (value && strlen(value) > *size))
                abort();
        return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(freep) char *text = malloc(size + 1);
        IniError error = {};
        int r;

        if (!text)
                abort();
        if (size > 0)
                memcpy(text, data, size);
        text[size] = 0;

        r = ini_parse(text, on_entry, &size, &error);
        if (r == -EINVAL &&
            (error.line == 0 || error.line > size + 1 || !*error.text || strchr(error.text, '\n')))
                abort();
        if (r < 0 && r != -EINVAL)
                abort();
        r = ini_line_check(text, &error);
        if (r < 0 && r != -EINVAL)
                abort();
        return 0;
}
