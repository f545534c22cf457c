/* SPDX-License-Identifier: MIT */

/*
 * Values in PHP-FPM's files, as PHP's ini scanner and parser read them: see fpm-reader.h. Strings stand side
 * by side, and between operators, which make numbers of them.
 */

#include "ctl/import/fpm-value.h"

#include "base/parse.h"
#include "base/text.h"

#define OPERATORS "&|^~()!"

/* What PHP's E_ constants are: those that stand in files for FPM's versions. */
static const struct {
        const char *name;
        int value;
} constants[] = {
        { "E_ERROR", 1 },
        { "E_WARNING", 2 },
        { "E_PARSE", 4 },
        { "E_NOTICE", 8 },
        { "E_CORE_ERROR", 16 },
        { "E_CORE_WARNING", 32 },
        { "E_COMPILE_ERROR", 64 },
        { "E_COMPILE_WARNING", 128 },
        { "E_USER_ERROR", 256 },
        { "E_USER_WARNING", 512 },
        { "E_USER_NOTICE", 1024 },
        { "E_STRICT", 2048 },
        { "E_RECOVERABLE_ERROR", 4096 },
        { "E_DEPRECATED", 8192 },
        { "E_USER_DEPRECATED", 16384 },
};

/* All of them; E_STRICT is not among them any more since 8.4, but keeps its value. */
#define E_ALL 30719
#define E_ALL_BEFORE_8_4 32767

/* Whether FPM is of this version or a later one; one that is not known is of the latest. */
static bool is_of_version(const FpmScanner *s, unsigned major, unsigned minor)
{
        const char *php = s->reader->php_version;

        return !php || !*php || version_at_least(php, major, minor);
}

static int put_variable(FpmScanner *s, FILE *f);

/* Text in double quotes; p is behind the first. Blanks behind the second are part of it, as in PHP. */
static int put_fpm_quoted(FpmScanner *s, FILE *f)
{
        while (*s->p && *s->p != '"') {
                if (s->p[0] == '$' && s->p[1] == '{') {
                        int r;

                        s->p += 2;
                        r = put_variable(s, f);
                        if (r < 0)
                                return r;
                        continue;
                }
                /* At the line's end, \" is a backslash and the end of the text, as in "C:\dir\". */
                if (s->p[0] == '\\' && s->p[1] && strchr("\"\\$", s->p[1]) && !(s->p[1] == '"' && !s->p[2]))
                        s->p++;
                fputc(*s->p++, f);
        }
        if (!*s->p)
                return fpm_scan_fail(s, "the string that starts here is not closed");
        s->p++;
        skip_blanks(s);
        return 0;
}

/* The value of the constant whose name is the first n bytes of name; false for none. */
static bool find_constant(const FpmScanner *s, const char *name, size_t n, int *ret)
{
        if (n == strlen("E_ALL") && memcmp(name, "E_ALL", n) == 0) {
                *ret = is_of_version(s, 8, 4) ? E_ALL : E_ALL_BEFORE_8_4;
                return true;
        }
        for (size_t i = 0; i < ELEMENTSOF(constants); i++)
                if (n == strlen(constants[i].name) && memcmp(name, constants[i].name, n) == 0) {
                        *ret = constants[i].value;
                        return true;
                }
        return false;
}

/* A word of a fallback: one that is the name of a constant is its value. */
static int put_fallback_word(FpmScanner *s, FILE *f)
{
        const char *start = s->p;
        int constant;

        while (*s->p && !strchr(";\"'}", *s->p) && !startswith(s->p, "${"))
                s->p += strchr("\\$", *s->p) && s->p[1] ? 2 : 1;
        if (s->p == start)
                return fpm_scan_fail(s, "this ${ is not closed");
        if (find_constant(s, start, (size_t) (s->p - start), &constant))
                fprintf(f, "%d", constant);
        else
                (void) fwrite(start, 1, (size_t) (s->p - start), f);
        return 0;
}

/* What stands for a variable that is not set; p is behind ":-", and then at the "}". */
static int fpm_scan_fallback(FpmScanner *s, char **ret)
{
        Text text;
        int r;

        if (s->depth == FPM_DEPTH_MAX)
                return fpm_scan_fail(s, "the fallback goes too deep");
        r = text_open(&text);
        if (r < 0)
                return r;
        s->depth++;
        while (r >= 0 && *s->p != '}') {
                if (startswith(s->p, "${")) {
                        s->p += 2;
                        r = put_variable(s, text.f);
                } else if (*s->p == '"') {
                        s->p++;
                        r = put_fpm_quoted(s, text.f);
                } else
                        r = put_fallback_word(s, text.f);
        }
        s->depth--;
        return text_close(&text, r, ret);
}

/* ${NAME} or, from 8.3 on, ${NAME:-fallback}; p is behind "${". */
static int put_variable(FpmScanner *s, FILE *f)
{
        _cleanup_(freep) char *name = NULL, *fallback = NULL;
        size_t n = strcspn(s->p, "}"), n_name, blanks = strspn(s->p, BLANKS);
        const char *separator = is_of_version(s, 8, 3) ? strstr(s->p, ":-") : NULL, *value;
        int r;

        if (separator && separator < s->p + n)
                n = (size_t) (separator - s->p);
        else
                separator = NULL;
        if (!s->p[n] || n == 0)
                return fpm_scan_fail(s, "this ${ is not closed");
        n_name = n;
        while (n_name > blanks && strchr(BLANKS, s->p[n_name - 1]))
                n_name--;
        name = n_name > blanks ? strndup(s->p + blanks, n_name - blanks) : strdup("");
        if (!name)
                return -ENOMEM;
        s->p += n;
        if (separator) {
                s->p += strlen(":-");
                r = fpm_scan_fallback(s, &fallback);
                if (r < 0)
                        return r;
        }
        s->p++;

        value = s->reader->get_variable(s->line, name, s->reader->userdata);
        fputs(value ?: fallback ?: "", f);
        return 0;
}

static int put_apostrophed(FpmScanner *s, FILE *f)
{
        const char *end = strchr(s->p, '\'');

        if (!end)
                return fpm_scan_fail(s, "the apostrophe that starts here is not closed; write it in quotes");
        (void) fwrite(s->p, 1, (size_t) (end - s->p), f);
        s->p = end + 1;
        return 0;
}

/* A word without quotes: one that is the name of a constant is its value. */
static int put_word(FpmScanner *s, FILE *f)
{
        const char *start = s->p;
        int constant;
        size_t n;

        while (*s->p && !strchr(" \t;=\"'" OPERATORS, *s->p)) {
                if (*s->p == '$') {
                        if (s->p[1] == '{')
                                break;
                        s->p += s->p[1] != 0;
                }
                s->p++;
        }
        n = (size_t) (s->p - start);
        if (find_constant(s, start, n, &constant)) {
                fprintf(f, "%d", constant);
                return 0;
        }
        if (startswith(start, "PHP_") && strspn(start, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == n)
                return fpm_scan_fail(s, "the constant %.*s is not known here; write its value",
                                     (int) MIN(n, (size_t) 64), start);
        (void) fwrite(start, 1, n, f);
        return 0;
}

/* One part of a value; *ret is false where none is left. Blanks count between two parts only, and not before
 * a quote. */
static int put_part(FpmScanner *s, FILE *f, bool *ret)
{
        size_t blanks = strspn(s->p, BLANKS);
        char next = s->p[blanks];

        *ret = false;
        if (!next || strchr(";=" OPERATORS, next)) {
                s->p += blanks;
                return 0;
        }
        *ret = true;
        if (next != '"')
                (void) fwrite(s->p, 1, blanks, f);
        s->p += blanks;

        if (next == '"') {
                s->p++;
                return put_fpm_quoted(s, f);
        }
        if (next == '\'') {
                s->p++;
                return put_apostrophed(s, f);
        }
        if (startswith(s->p, "${")) {
                s->p += 2;
                return put_variable(s, f);
        }
        return put_word(s, f);
}

/* Parts that stand side by side: one string. */
static int fpm_scan_string(FpmScanner *s, char **ret)
{
        bool more = true;
        Text text;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        while (r >= 0 && more)
                r = put_part(s, text.f, &more);
        return text_close(&text, r, ret);
}

/* PHP counts in int, and what is no number is 0. */
static int number_of(const char *text)
{
        long long n = strtoll(text, NULL, 10);

        return (int) (uint32_t) (unsigned long long) n;
}

static int put_number(int n, char **ret)
{
        return text_format(ret, "%d", n);
}

static int fpm_scan_expression(FpmScanner *s, char **ret);

/* A string, or one behind ~ or !, or an expression in parentheses. */
static int fpm_scan_operand(FpmScanner *s, char **ret)
{
        _cleanup_(freep) char *inner = NULL;
        char c;
        int r;

        skip_blanks(s);
        c = *s->p;
        if (!c || !strchr("~!(", c))
                return fpm_scan_string(s, ret);
        if (s->depth == FPM_DEPTH_MAX)
                return fpm_scan_fail(s, "the expression goes too deep");

        s->p++;
        s->depth++;
        r = c == '(' ? fpm_scan_expression(s, &inner) : fpm_scan_operand(s, &inner);
        s->depth--;
        if (r < 0)
                return r;
        if (c != '(')
                return put_number(c == '~' ? ~number_of(inner) : !number_of(inner), ret);
        if (*s->p != ')')
                return fpm_scan_fail(s, "a parenthesis is not closed");
        s->p++;
        skip_blanks(s);
        *ret = TAKE_PTR(inner);
        return 0;
}

/* The operators have one precedence and are taken from the left, as in PHP's ini files. */
static int fpm_scan_expression(FpmScanner *s, char **ret)
{
        _cleanup_(freep) char *value = NULL;
        int r;

        r = fpm_scan_operand(s, &value);
        while (r >= 0 && *s->p && strchr("|&^", *s->p)) {
                _cleanup_(freep) char *right = NULL;
                char sign = *s->p++;
                int a = number_of(value), b;

                skip_blanks(s);
                r = at_end(s) ? fpm_scan_fail(s, "nothing stands behind \"%c\"", sign)
                              : fpm_scan_operand(s, &right);
                if (r < 0)
                        break;
                b = number_of(right);
                free(TAKE_PTR(value));
                r = put_number(sign == '|' ? a | b : sign == '&' ? a & b : a ^ b, &value);
        }
        if (r >= 0)
                *ret = TAKE_PTR(value);
        return r;
}

/* Whether the value is one of these words, and nothing else. */
static bool take_word(FpmScanner *s, const char *const *words)
{
        for (; *words; words++) {
                size_t n = strlen(*words);
                const char *behind = s->p + n;

                if (strncasecmp(s->p, *words, n) != 0)
                        continue;
                behind += strspn(behind, BLANKS);
                if (!*behind || *behind == ';') {
                        s->p = behind;
                        return true;
                }
        }
        return false;
}

int fpm_scan_value(FpmScanner *s, char **ret)
{
        static const char *const yes[] = { "true", "on", "yes", NULL };
        static const char *const no[] = { "false", "off", "no", "none", "null", NULL };
        _cleanup_(freep) char *value = NULL;
        int r;

        skip_blanks(s);
        if (take_word(s, yes))
                value = strdup("1");
        else if (at_end(s) || take_word(s, no))
                value = strdup("");
        else {
                r = fpm_scan_expression(s, &value);
                if (r < 0)
                        return r;
        }
        if (!value)
                return -ENOMEM;
        if (!at_end(s))
                return fpm_scan_fail(s, "\"%c\" cannot stand here; a value with it stands in quotes", *s->p);
        *ret = TAKE_PTR(value);
        return 0;
}
