/* SPDX-License-Identifier: MIT */

/*
 * The syntax of PHP-FPM's files: see fpm-file.h.
 *
 * FPM hands each line to PHP's parser on its own, so nothing goes on over a line's end, and neither does it
 * here: a FpmScanner sees one line, and what stands behind its end is a zero byte.
 */

#include "ctl/import/fpm-file.h"

#include "ctl/import/fpm-value.h"

#define NOT_IN_NAMES "=;&|^$~(){}!\"[]\t"

static int fpm_scan_section(FpmScanner *s)
{
        _cleanup_(freep) char *name = NULL;
        const char *end;

        s->p++;
        end = strchr(s->p, ']');
        if (!end)
                return fpm_scan_fail(s, "the section's \"]\" is missing");
        if (end > s->p + 1 && strchr("\"'", *s->p) && end[-1] == *s->p)
                name = strndup(s->p + 1, (size_t) (end - s->p - 2));
        else
                name = strndup(s->p, (size_t) (end - s->p));
        if (!name)
                return -ENOMEM;

        s->p = end + 1;
        skip_blanks(s);
        if (!at_end(s))
                return fpm_scan_fail(s, "nothing may stand behind a section's name");
        return s->reader->on_section(s->line, name, s->reader->userdata);
}

/* What stands in the brackets; p is behind the first. */
static int fpm_scan_key(FpmScanner *s, char **ret)
{
        const char *start, *end;
        char quote = 0;

        skip_blanks(s);
        if (*s->p == '"' || *s->p == '\'')
                quote = *s->p++;
        start = s->p;
        end = strchr(start, quote ?: ']');
        if (end && quote) {
                s->p = end + 1;
                skip_blanks(s);
        } else if (end)
                s->p = end;
        if (!end || *s->p != ']')
                return fpm_scan_fail(s, "the \"]\" behind the name is missing");
        s->p++;
        skip_blanks(s);
        *ret = strndup(start, (size_t) (end - start));
        return *ret ? 0 : -ENOMEM;
}

static int fpm_scan_entry(FpmScanner *s)
{
        _cleanup_(freep) char *name = NULL, *key = NULL, *value = NULL;
        size_t n = strcspn(s->p, NOT_IN_NAMES), n_name = n;
        int r;

        while (n_name > 0 && s->p[n_name - 1] == ' ')
                n_name--;
        if (*s->p == '#' && s->p[n] != '=')
                return fpm_scan_fail(s, "a comment starts with \";\", not with \"#\"");
        if (n_name == 0)
                return fpm_scan_fail(s, "a line is a [section], or \"name = value\"");
        name = strndup(s->p, n_name);
        if (!name)
                return -ENOMEM;

        s->p += n;
        if (*s->p == '[') {
                s->p++;
                r = fpm_scan_key(s, &key);
                if (r < 0)
                        return r;
        }
        skip_blanks(s);
        if (*s->p != '=')
                return fpm_scan_fail(s, "\"=\" and a value are missing behind %.*s",
                                     (int) MIN(n_name, (size_t) 64), name);
        s->p++;
        r = fpm_scan_value(s, &value);
        return r < 0 ? r : s->reader->on_entry(s->line, name, key, value, s->reader->userdata);
}

int fpm_file_parse(const char *text, size_t size, const FpmReader *reader, FpmError *ret_error)
{
        FpmScanner s = { .reader = reader, .error = ret_error };
        const char *end = text + size, *next;
        int r = 0;

        for (; text < end && r >= 0; text = next) {
                const char *newline = memchr(text, '\n', (size_t) (end - text));
                size_t n = (size_t) ((newline ?: end) - text);
                _cleanup_(freep) char *line = NULL;

                next = newline ? newline + 1 : end;
                s.line++;
                if (memchr(text, 0, n))
                        return fpm_scan_fail(&s, "the file holds a zero byte");
                if (n > 0 && text[n - 1] == '\r')
                        n--;
                line = strndup(text, n);
                if (!line)
                        return -ENOMEM;

                /* PHP skips a byte order mark where a text starts, and each line is one. */
                s.p = startswith(line, "\xef\xbb\xbf") ?: line;
                skip_blanks(&s);
                if (!at_end(&s))
                        r = *s.p == '[' ? fpm_scan_section(&s) : fpm_scan_entry(&s);
        }
        return r;
}
