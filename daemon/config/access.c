/* SPDX-License-Identifier: MIT */

/*
 * The parser of access.format: see access.h. Its grammar is PHP-FPM's: "%" and a letter, between them
 * maybe an argument in braces. It accepts what PHP-FPM accepts, except errors that PHP-FPM ignores without
 * a word: a "%" at the end, an empty format, two arguments.
 */

#include "config/access.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "base/utf8.h"

const AccessCodeInfo access_codes[_ACCESS_CODE_MAX] = {
#define ACCESS_CODE(name, letter, argument, words, help)                                                    \
        [ACCESS_##name] = { letter, ACCESS_ARGUMENT_##argument, words, help },
#include "config/access.def"
};

typedef struct FormatParser {
        AccessFormat *format;
        char *next; /* in its text */
        char *error;
} FormatParser;

static _printf_(2, 3) int wrong(const FormatParser *p, const char *message, ...)
{
        va_list ap;

        va_start(ap, message);
        (void) vsnprintf(p->error, ACCESS_ERROR_MAX, message, ap);
        va_end(ap);
        utf8_make_printable(p->error);
        return -EINVAL;
}

static int add_format_piece(const FormatParser *p, AccessCode code, const char *text, size_t size)
{
        AccessFormat *f = p->format;

        if (f->n_pieces == ACCESS_PIECES_MAX)
                return wrong(p, "must not have more than %d codes and texts", ACCESS_PIECES_MAX);
        f->pieces[f->n_pieces++] = (AccessPiece) { code, text, size };
        return 0;
}

/* Whether one of the words, separated by spaces, is this one. */
static bool has_word(const char *words, const char *word)
{
        size_t n = strlen(word);

        while (*words) {
                size_t size = strcspn(words, " ");

                if (size == n && strncasecmp(words, word, n) == 0)
                        return true;
                words += size + (words[size] == ' ');
        }
        return false;
}

static AccessCode first_code(char letter)
{
        AccessCode code = ACCESS_TEXT + 1;

        while (code < _ACCESS_CODE_MAX && access_codes[code].letter != letter)
                code++;
        return code;
}

/* Which code of a letter the word means. */
static int find_word(const FormatParser *p, AccessCode first, const char *word, AccessCode *ret)
{
        char letter = access_codes[first].letter, words[ACCESS_ERROR_MAX] = "";
        size_t n = 0;

        for (AccessCode code = first; code < _ACCESS_CODE_MAX; code++) {
                const char *all = access_codes[code].words;

                if (access_codes[code].letter != letter)
                        break;
                if (has_word(all, word)) {
                        *ret = code;
                        return 0;
                }
                n += (size_t) snprintf(words + n, sizeof words - n, "%s\"%.*s\"", n > 0 ? ", " : "",
                                       (int) strcspn(all, " "), all);
        }
        return wrong(p, "has \"%%{%.32s}%c\"; in the braces stands one of %s", word, letter, words);
}

/* A code with its argument, NULL for none. */
static int add_code(const FormatParser *p, char letter, const char *argument)
{
        AccessCode code = first_code(letter);

        if (code == _ACCESS_CODE_MAX && (letter <= ' ' || letter >= 0x7f))
                return wrong(p, "has a \"%%\" without a letter");
        if (code == _ACCESS_CODE_MAX)
                return wrong(p, "has \"%%%c\", which is no code", letter);

        switch (access_codes[code].argument) {
        case ACCESS_ARGUMENT_NONE:
                if (argument)
                        return wrong(p, "has braces before \"%c\", which takes none", letter);
                break;
        case ACCESS_ARGUMENT_WORD:
                if (argument) {
                        int r = find_word(p, code, argument, &code);

                        if (r < 0)
                                return r;
                }
                argument = NULL;
                break;
        case ACCESS_ARGUMENT_NAME:
                if (!argument)
                        return wrong(p, "has \"%%%c\" without a name: %%{%s}%c", letter,
                                     access_codes[code].words, letter);
                break;
        case ACCESS_ARGUMENT_FORMAT:
                break;
        }
        if (code == ACCESS_PERCENT)
                return add_format_piece(p, ACCESS_TEXT, "%", 1);
        return add_format_piece(p, code, argument, argument ? strlen(argument) : 0);
}

/* The text behind a "%". Empty braces are no argument, as in PHP-FPM. */
static int parse_code(FormatParser *p)
{
        const char *argument = NULL;

        if (*p->next == '{') {
                char *end = strchr(p->next, '}');

                if (!end)
                        return wrong(p, "has a \"{\" without its \"}\"");
                *end = 0;
                argument = p->next[1] ? p->next + 1 : NULL;
                p->next = end + 1;
        }
        if (!*p->next)
                return wrong(p, "ends within a code");
        return add_code(p, *p->next++, argument);
}

static int parse_pieces(FormatParser *p)
{
        int r = 0;

        if (!*p->next)
                return wrong(p, "must not be empty");
        while (*p->next && r >= 0) {
                size_t n = strcspn(p->next, "%");

                if (n > 0) {
                        r = add_format_piece(p, ACCESS_TEXT, p->next, n);
                        p->next += n;
                } else {
                        p->next++;
                        r = parse_code(p);
                }
        }
        return r;
}

int access_format_parse(const char *text, char error[static ACCESS_ERROR_MAX], AccessFormat **ret)
{
        _cleanup_(freep) AccessFormat *format = NULL;
        size_t size = strlen(text) + 1;
        FormatParser p = { .error = error };
        int r;

        format = malloc(sizeof *format + size);
        if (!format)
                return -ENOMEM;
        format->n_pieces = 0;
        memcpy(format->text, text, size);

        p.format = format;
        p.next = format->text;
        r = parse_pieces(&p);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(format);
        return 0;
}

bool access_format_has(const AccessFormat *f, AccessCode code)
{
        for (size_t i = 0; i < f->n_pieces; i++)
                if (f->pieces[i].code == code)
                        return true;
        return false;
}
