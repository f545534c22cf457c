/* SPDX-License-Identifier: MIT */

/* New strings: see text.h. They are in memory only, so nothing but memory can be missing. */

#include "base/text.h"

#include "base/utf8.h"

/* Bytes that are escaped at a time, and the most that each becomes: "\\x1B". */
#define ESCAPE_CHUNK 256U
#define ESCAPED_SIZE 4

int text_vformat(char **ret, const char *format, va_list ap)
{
        if (vasprintf(ret, format, ap) < 0) {
                *ret = NULL;
                return -ENOMEM;
        }
        return 0;
}

int text_format(char **ret, const char *format, ...)
{
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vformat(ret, format, ap);
        va_end(ap);
        return r;
}

void text_write_escaped(FILE *f, const char *bytes, size_t size, bool lines)
{
        char escaped[ESCAPE_CHUNK * ESCAPED_SIZE];

        assert(bytes || size == 0);

        while (size > 0) {
                size_t n = size;

                if (n > ESCAPE_CHUNK) {
                        n = utf8_cut(bytes, ESCAPE_CHUNK);
                        n -= bytes[n - 1] == '\r'; /* a line break may follow */
                }
                (void) fwrite(escaped, 1, utf8_escape(bytes, n, lines, escaped, sizeof escaped), f);
                bytes += n;
                size -= n;
        }
}

int text_escape(const char *text, char **ret)
{
        Text t;
        int r;

        r = text_open(&t);
        if (r < 0)
                return r;
        text_write_escaped(t.f, text, strlen(text), /* lines= */ false);
        return text_close(&t, 0, ret);
}

int text_open(Text *t)
{
        *t = (Text){};
        t->f = open_memstream(&t->string, &t->size);
        return t->f ? 0 : -ENOMEM;
}

int text_close(Text *t, int r, char **ret)
{
        assert(t->f);

        if (fclose(t->f) != 0 && r >= 0)
                r = -ENOMEM;
        t->f = NULL;
        if (r < 0)
                free(TAKE_PTR(t->string));
        else
                *ret = TAKE_PTR(t->string);
        return r;
}

void strv_free(char **list)
{
        for (char **p = list; p && *p; p++)
                free(*p);
        free(list);
}
