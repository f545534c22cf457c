/* SPDX-License-Identifier: MIT */

/*
 * The grammar of PHP's ini files: see ini.h. One token is looked at before it is taken. A value is gathered
 * while its grammar is followed; variables and operators in it are not evaluated.
 */

#include "config/ini.h"

#include <ctype.h>
#include <stdio.h>

#include "base/text.h"
#include "config/ini-scan.h"

/* The most of a token that an error shows. */
#define SHOWN_MAX 16

typedef struct Reader {
        IniScanner scanner;
        IniToken token; /* the next one */
        IniOnEntry *on_entry;
        void *userdata;
        IniError *error;
        char *section;
} Reader;

static void next(Reader *r)
{
        r->token = ini_scan_next(&r->scanner);
}

static bool is_character(const Reader *r, char c)
{
        return r->token == INI_CHARACTER && *r->scanner.start == c;
}

/* How much of the next token can be shown as it is. */
static size_t printable_size(const Reader *r)
{
        size_t n = 0;

        while (n < MIN(r->scanner.size, (size_t) SHOWN_MAX) && isprint((uint8_t) r->scanner.start[n]))
                n++;
        return n;
}

/* Says that the next token cannot stand there. */
static int refuse_token(Reader *r)
{
        IniError *e = r->error;
        size_t n = printable_size(r);

        e->line = r->scanner.token_line;
        if (r->token == INI_BROKEN)
                (void) snprintf(e->text, sizeof e->text, "an apostrophe is not closed; write it in quotes");
        else if (r->token == INI_END || r->token == INI_EOL || n == 0)
                (void) snprintf(e->text, sizeof e->text,
                                "quotes, a bracket or an expression are not closed");
        else
                (void) snprintf(e->text, sizeof e->text,
                                "\"%.*s\" cannot stand there; a value that has it stands in quotes",
                                r->token == INI_CHARACTER ? 1 : (int) n, r->scanner.start);
        return -EINVAL;
}

/* Text in quotes, without its escapes. */
static void put_quoted(const char *p, size_t size, FILE *f)
{
        for (const char *end = p + size; p < end; p++) {
                if (*p == '\\' && p + 1 < end && strchr("\"\\$", p[1]))
                        p++;
                fputc(*p, f);
        }
}

static int read_parts(Reader *r, FILE *f, bool *known);

/* ${NAME} or ${NAME:-fallback}, the "${" of which is next. */
static int read_variable(Reader *r, FILE *f, bool *known)
{
        int q;

        *known = false;
        next(r);
        if (r->token != INI_VARIABLE)
                return refuse_token(r);
        next(r);
        if (r->token == INI_FALLBACK) {
                next(r);
                q = read_parts(r, f, known);
                if (q < 0)
                        return q;
        }
        if (!is_character(r, '}'))
                return refuse_token(r);
        next(r);
        return 0;
}

/* A text in quotes, the first of which is next. */
static int read_quotes(Reader *r, FILE *f, bool *known)
{
        next(r);
        while (!is_character(r, '"')) {
                int q = 0;

                if (r->token == INI_QUOTED) {
                        put_quoted(r->scanner.start, r->scanner.size, f);
                        next(r);
                } else if (r->token == INI_DOLLAR)
                        q = read_variable(r, f, known);
                else
                        q = refuse_token(r);
                if (q < 0)
                        return q;
        }
        next(r);
        return 0;
}

/* One part of a string and those that follow it. 1, 0 where there is none, or -EINVAL. */
static int read_parts(Reader *r, FILE *f, bool *known)
{
        bool any = false;
        int q = 0;

        for (; q >= 0; any = true)
                if (r->token == INI_STRING) {
                        (void) fwrite(r->scanner.start, 1, r->scanner.size, f);
                        next(r);
                } else if (is_character(r, '"'))
                        q = read_quotes(r, f, known);
                else if (r->token == INI_DOLLAR)
                        q = read_variable(r, f, known);
                else
                        return any;
        return q;
}

/* Strings, and the operators and parentheses around and between them. */
static int read_expression(Reader *r, FILE *f, bool *known)
{
        unsigned depth = 0;
        int q;

        for (;;) {
                while (is_character(r, '~') || is_character(r, '!') || is_character(r, '(')) {
                        *known = false;
                        if (*r->scanner.start == '(' && depth++ == INI_DEPTH_MAX)
                                return refuse_token(r);
                        next(r);
                }
                q = read_parts(r, f, known);
                if (q <= 0)
                        return q < 0 ? q : refuse_token(r);
                for (; depth > 0 && is_character(r, ')'); depth--)
                        next(r);
                if (!is_character(r, '|') && !is_character(r, '&') && !is_character(r, '^'))
                        return depth > 0 ? refuse_token(r) : 0;
                *known = false;
                next(r);
        }
}

/* The value behind a "=", which is next. */
static int read_value(Reader *r, FILE *f, bool *known)
{
        if (!is_character(r, '='))
                return refuse_token(r);
        next(r);
        if (r->token == INI_EOL) {
                next(r);
                return 0;
        }
        if (r->token != INI_WORD)
                return read_expression(r, f, known);
        if (strchr("tToOyY", *r->scanner.start) && strncasecmp(r->scanner.start, "of", 2) != 0)
                fputc('1', f);
        next(r);
        return 0;
}

/* Reads a value, and tells what the entry is. */
static int read_entry(Reader *r, const char *name)
{
        _cleanup_(freep) char *value = NULL;
        bool known = true;
        Text text;
        int q;

        q = text_open(&text);
        if (q < 0)
                return q;
        q = read_value(r, text.f, &known);
        q = text_close(&text, q, &value);
        if (q < 0 || !r->on_entry)
                return q;
        return r->on_entry(r->section ?: "", name, known ? value : NULL, r->userdata);
}

/* The text in brackets, up to the second, which is taken. */
static int read_brackets(Reader *r, char **ret)
{
        bool known = true;
        Text text;
        int q;

        q = text_open(&text);
        if (q < 0)
                return q;
        next(r);
        q = read_parts(r, text.f, &known);
        if (q >= 0 && !is_character(r, ']'))
                q = refuse_token(r);
        q = text_close(&text, MIN(q, 0), ret);
        if (q >= 0)
                next(r);
        return q;
}

/* "name", "name = value" or "name[key] = value". */
static int read_label(Reader *r)
{
        _cleanup_(freep) char *name = strndup(r->scanner.start, r->scanner.size), *key = NULL;
        int q;

        if (!name)
                return -ENOMEM;
        if (r->token == INI_OFFSET) {
                q = read_brackets(r, &key);
                return q < 0 ? q : read_entry(r, name);
        }
        next(r);
        if (is_character(r, '='))
                return read_entry(r, name);
        return r->on_entry ? r->on_entry(r->section ?: "", name, NULL, r->userdata) : 0;
}

static int read_statement(Reader *r)
{
        switch (r->token) {
        case INI_EOL:
                next(r);
                return 0;
        case INI_LABEL:
        case INI_OFFSET:
                return read_label(r);
        case INI_SECTION:
                free(TAKE_PTR(r->section));
                return read_brackets(r, &r->section);
        default:
                return refuse_token(r);
        }
}

int ini_parse(const char *text, IniOnEntry *on_entry, void *userdata, IniError *ret_error)
{
        Reader r = { .on_entry = on_entry, .userdata = userdata, .error = ret_error };
        int q = 0;

        ini_scan_start(&r.scanner, text);
        next(&r);
        while (q >= 0 && r.token != INI_END)
                q = read_statement(&r);
        free(r.section);
        return q;
}

/* The name that a line has before its "=", and whether it is that of its first entry. */
typedef struct IniLine {
        const char *text;
        bool seen, good;
} IniLine;

static int on_line_entry(const char *section, const char *name, const char *value _unused_, void *userdata)
{
        IniLine *line = userdata;
        const char *rest = startswith(line->text, name);

        if (!line->seen)
                line->good = !*section && rest && *name && rest[strspn(rest, " \t")] == '=';
        line->seen = true;
        return 0;
}

int ini_line_check(const char *line, IniError *ret_error)
{
        IniLine l = { .text = line };
        _cleanup_(freep) char *text = NULL;
        int q;

        if (asprintf(&text, "%s\n", line) < 0) {
                text = NULL;
                return -ENOMEM;
        }
        q = ini_parse(text, on_line_entry, &l, ret_error);
        ret_error->line = 1;
        if (q >= 0 && !l.good) {
                (void) snprintf(ret_error->text, sizeof ret_error->text,
                                "its name is none that a setting of PHP can have");
                return -EINVAL;
        }
        return q;
}
