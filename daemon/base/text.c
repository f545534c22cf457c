/* SPDX-License-Identifier: MIT */

/* New strings: see text.h. They are in memory only, so nothing but memory can be missing. */

#include "base/text.h"

int text_vformat(char **ret, const char *format, va_list ap)
{
        if (vasprintf(ret, format, ap) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int text_open(Text *t)
{
        *t = (Text){};
        t->f = open_memstream(&t->string, &t->size);
        return t->f ? 0 : -ENOMEM;
}

int text_close(Text *t, int r, char **ret)
{
        if (fclose(t->f) != 0 && r >= 0)
                r = -ENOMEM;
        t->f = NULL;
        if (r < 0)
                free(TAKE_PTR(t->string));
        else
                *ret = TAKE_PTR(t->string);
        return r;
}
