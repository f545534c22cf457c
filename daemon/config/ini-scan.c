/* SPDX-License-Identifier: MIT */

/*
 * Tokens of PHP's ini files: see ini-scan.h. As in a scanner that re2c makes, the longest match counts, and
 * the first of the rules among equals; so each function below is the rules of one state, in their order,
 * with what cannot win left out. Never reads behind the text's end.
 */

#include "config/ini-scan.h"

#include <strings.h>

#define BLANKS " \t"

/* Never in a name. */
#define NO_LABEL "=\n\r\t;&|^$~(){}!\"[]"

/* Never in a value without quotes. "$" may, before another character. */
#define NO_VALUE "= \t\n\r;&|^~()!\"'$"

/* Never within brackets without quotes. "\" may, before another character, and so may "$". */
#define NO_BRACKETED "\n\r;\"']\\$"

/* Never in a fallback without quotes. "\" may, before another character, and so may "$". */
#define NO_FALLBACK "\n\r;\"'}\\$"

#define OPERATORS "&|^~()!"

void ini_scan_start(IniScanner *s, const char *text)
{
        /* A byte order mark is skipped, if anything is behind it. */
        const char *behind = startswith(text, "\xef\xbb\xbf");

        *s = (IniScanner){
                .p = behind && *behind ? behind : text, .end = text + strlen(text), .line = 1, .n_states = 1
        };
}

static IniState state(const IniScanner *s)
{
        return s->states[s->n_states - 1];
}


/* Takes n characters as the token. */
static IniToken take_token(IniScanner *s, IniToken token, size_t n)
{
        s->start = s->p;
        s->size = n;
        for (const char *p = s->p; p < s->p + n; p++)
                s->line += *p == '\n' || (*p == '\r' && p[1] != '\n');
        s->p += n;
        return token;
}

/* The same, with which a state within this one begins. */
static IniToken take_and_push(IniScanner *s, IniToken token, size_t n, IniState state_)
{
        if (s->n_states == INI_STATES_MAX)
                return INI_END;
        s->states[s->n_states++] = state_;
        return take_token(s, token, n);
}

static IniToken take_and_begin(IniScanner *s, IniToken token, size_t n, IniState state_)
{
        s->states[0] = state_;
        s->n_states = 1;
        return take_token(s, token, n);
}

/* The same without blanks around it. */
static IniToken take_trimmed(IniScanner *s, IniToken token, size_t n, size_t n_behind)
{
        take_token(s, token, n + n_behind);
        s->size = n;
        while (s->size > 0 && strchr(BLANKS, s->start[s->size - 1]))
                s->size--;
        while (s->size > 0 && strchr(BLANKS, *s->start)) {
                s->start++;
                s->size--;
        }
        return token;
}

static size_t newline_size(const char *p)
{
        return p[0] == '\r' && p[1] == '\n' ? 2 : p[0] == '\r' || p[0] == '\n';
}

/* Blanks, perhaps a comment, and the line's end; 0 where something else is next. */
static size_t line_end_size(const char *p)
{
        size_t n = strspn(p, BLANKS), newline;

        if (p[n] == ';')
                n += strcspn(p + n, "\r\n");
        newline = newline_size(p + n);
        return newline > 0 ? n + newline : 0;
}

/* One of the words that stand for a value, with the blanks behind it; 0 for none. */
static size_t word_size(const char *p)
{
        static const char *const words[] = { "true", "on", "yes", "false", "off", "none", "no", "null" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                size_t n = strlen(words[i]);

                if (strncasecmp(p, words[i], n) == 0)
                        return n + strspn(p + n, BLANKS);
        }
        return 0;
}

/*
 * Text without quotes, of which `no` are not part, unless behind a "$" or, where they may, behind a "\". A
 * "$" takes any character with it but "{"; and "$\" either nothing more or one more, whichever goes on for
 * longer.
 */
static size_t text_size(const char *p, const char *no, bool backslash)
{
        enum { BETWEEN = 1, DOLLAR = 2, DOLLAR_BACKSLASH = 4, BACKSLASH = 8 };
        unsigned at = BETWEEN;
        size_t longest = 0;

        for (size_t i = 0; at && p[i]; i++) {
                unsigned next = 0;

                if ((at & BETWEEN) && !strchr(no, p[i]))
                        next |= BETWEEN;
                if ((at & BETWEEN) && p[i] == '$')
                        next |= DOLLAR;
                if ((at & BETWEEN) && backslash && p[i] == '\\')
                        next |= BACKSLASH;
                if ((at & DOLLAR) && p[i] != '{')
                        next |= BETWEEN;
                if ((at & DOLLAR) && p[i] == '\\')
                        next |= DOLLAR_BACKSLASH;
                if (at & (DOLLAR_BACKSLASH | BACKSLASH))
                        next |= BETWEEN;
                at = next;
                if (at & BETWEEN)
                        longest = i + 1;
        }
        return longest;
}

static IniToken scan_initial(IniScanner *s)
{
        size_t blanks = strspn(s->p, BLANKS), end = line_end_size(s->p), word = word_size(s->p);
        size_t label = strcspn(s->p, NO_LABEL);

        if (end > 0)
                return take_token(s, INI_EOL, end);
        if (s->p[blanks] == '=') {
                (void) take_and_begin(s, INI_CHARACTER, blanks + 1 + strspn(s->p + blanks + 1, BLANKS),
                                      INI_IN_VALUE);
                s->start += blanks;
                return INI_CHARACTER;
        }
        if (label > 0 && s->p[label] == '[') {
                size_t behind = 1 + strspn(s->p + label + 1, BLANKS);

                take_trimmed(s, INI_OFFSET, label, behind);
                s->states[0] = INI_IN_OFFSET;
                return INI_OFFSET;
        }
        if (word > 0 && word >= label)
                return take_token(s, INI_WORD, word);
        if (label > 0 && label >= blanks)
                return take_trimmed(s, INI_LABEL, label, 0);
        if (blanks > 0) {
                (void) take_token(s, INI_EOL, blanks);
                return *s->p ? scan_initial(s) : INI_END;
        }
        if (*s->p == '[')
                return take_and_begin(s, INI_SECTION, 1, INI_IN_SECTION);
        /* A comment that ends with the text ends it for PHP, too. */
        return *s->p == ';' ? take_token(s, INI_END, strlen(s->p)) : take_token(s, INI_CHARACTER, 1);
}

/* Text in apostrophes, at least one character; 0 where that does not begin here. */
static size_t apostrophed_size(const IniScanner *s)
{
        const char *end = *s->p == '\'' && s->p[1] != '\'' ? strchr(s->p + 1, '\'') : NULL;

        return end ? (size_t) (end + 1 - s->p) : 0;
}

/* What may be part of a value anywhere but within quotes; INI_END where nothing such is next. */
static IniToken scan_part(IniScanner *s, size_t text)
{
        size_t blanks = strspn(s->p, BLANKS), apostrophed = apostrophed_size(s);
        IniToken token;

        if (apostrophed > 0) {
                (void) take_token(s, INI_STRING, apostrophed);
                s->start++;
                s->size -= 2;
                return INI_STRING;
        }
        if (*s->p == '\'' && s->p[1] && s->p[1] != '\'')
                return INI_BROKEN;
        if (startswith(s->p, "${"))
                return take_and_push(s, INI_DOLLAR, 2, INI_IN_NAME);
        if (text > blanks)
                return take_token(s, INI_STRING, text);
        if (s->p[blanks] == '"') {
                token = take_and_push(s, INI_CHARACTER, blanks + 1, INI_IN_QUOTES);
                s->start += token == INI_CHARACTER ? blanks : 0;
                return token;
        }
        return MAX(blanks, text) > 0 ? take_token(s, INI_STRING, MAX(blanks, text)) : INI_END;
}

static IniToken scan_value(IniScanner *s)
{
        size_t end = line_end_size(s->p), word = word_size(s->p), text = text_size(s->p, NO_VALUE, false);
        IniToken token;

        if (end > 0)
                return take_and_begin(s, INI_EOL, end, INI_INITIAL);
        if (word > 0 && word >= text)
                return take_token(s, INI_WORD, word);
        token = scan_part(s, text);
        if (token != INI_END)
                return token;
        if (strchr(OPERATORS, *s->p))
                return take_token(s, INI_CHARACTER, 1 + strspn(s->p + 1, BLANKS));
        /* The value ends at what cannot be part of it; a "=" then stands where a name should. */
        return take_and_begin(s, INI_EOL, *s->p != '=', INI_INITIAL);
}

static IniToken scan_bracketed(IniScanner *s)
{
        size_t blanks = state(s) == INI_IN_OFFSET ? strspn(s->p, BLANKS) : 0, n = 1;
        size_t text = text_size(s->p, NO_BRACKETED, true);

        if (s->p[blanks] != ']')
                return scan_part(s, text);
        if (state(s) == INI_IN_SECTION) {
                n += strspn(s->p + 1, BLANKS);
                n += newline_size(s->p + n);
        }
        (void) take_and_begin(s, INI_CHARACTER, blanks + n, INI_INITIAL);
        s->start += blanks;
        return INI_CHARACTER;
}

static IniToken scan_quotes(IniScanner *s)
{
        const char *p = s->p;

        if (startswith(p, "${"))
                return take_and_push(s, INI_DOLLAR, 2, INI_IN_NAME);
        if (*p == '"') {
                s->n_states--;
                return take_token(s, INI_CHARACTER, 1 + strspn(p + 1, BLANKS));
        }
        while (*p && *p != '"' && !startswith(p, "${")) {
                if (*p++ != '\\' || !*p)
                        continue;
                /* At the line's end, \" is a backslash and the end of the text, as in "C:\dir\". */
                if (*p == '"' && (!p[1] || strchr("\r\n", p[1])))
                        break;
                p++;
        }
        return take_token(s, INI_QUOTED, (size_t) (p - s->p));
}

/*
 * From PHP 8.3 on, ":-" ends a name. One character before it PHP takes for a part of it, so that ${A:-b} is
 * no variable.
 */
static IniToken scan_name(IniScanner *s)
{
        size_t label = strcspn(s->p, NO_LABEL), n = 0;

        while (n < label && !startswith(s->p + n, ":-"))
                n++;
        if (n < label && n <= 1) {
                s->states[s->n_states - 1] = INI_IN_FALLBACK;
                return take_token(s, INI_FALLBACK, n + 2);
        }
        if (n > 0)
                return take_trimmed(s, INI_VARIABLE, n, 0);
        if (*s->p != '}')
                return INI_END;
        s->n_states--;
        return take_token(s, INI_CHARACTER, 1);
}

static IniToken scan_fallback(IniScanner *s)
{
        if (*s->p == '\'')
                return INI_END;
        if (*s->p != '}')
                return scan_part(s, text_size(s->p, NO_FALLBACK, true));
        s->n_states--;
        return take_token(s, INI_CHARACTER, 1);
}

IniToken ini_scan_next(IniScanner *s)
{
        s->token_line = s->line;
        if (s->p >= s->end) {
                if (state(s) != INI_IN_VALUE)
                        return INI_END;
                return take_and_begin(s, INI_EOL, 0, INI_INITIAL);
        }
        switch (state(s)) {
        case INI_INITIAL:
                return scan_initial(s);
        case INI_IN_VALUE:
                return scan_value(s);
        case INI_IN_QUOTES:
                return scan_quotes(s);
        case INI_IN_NAME:
                return scan_name(s);
        case INI_IN_FALLBACK:
                return scan_fallback(s);
        default:
                return scan_bracketed(s);
        }
}
