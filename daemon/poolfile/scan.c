/* SPDX-License-Identifier: MIT */

/*
 * Reads a pool file and puts its includes in place: source_from_file() and source_from_text() of scan.h.
 *
 * A SourceScanner walks through one file and knows just as much of libconfig's syntax as it takes to see
 * where an "@include" stands at the start of a line, outside of strings and comments. Everything else is
 * copied; libconfig judges it. What libconfig would silently swallow or falsify is refused or mended here.
 * The text must never hold what libconfig takes for an include; where a line of it starts, the scanner's
 * line_start is true.
 *
 * A zero stands behind the text of every file, and none in it.
 */

#include "poolfile/scan.h"

#include <fcntl.h>
#include <limits.h>

#include "base/fd.h"
#include "base/io.h"

#define INCLUDE "@include"
#define BLANKS " \t"
#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define NAME_CHARACTERS LETTERS DIGITS "*_-"

typedef struct SourceScanner {
        Source *source;
        ConfigErrors *errors;
        size_t file;    /* index in the source's files[] */
        unsigned depth; /* 0 for the pool file itself */
        const char *p, *end;
        unsigned line; /* of p in the file */
        bool line_start;
} SourceScanner;

static int scan_text(SourceScanner *s, const char *text, size_t size);

static const char *file_name(const SourceScanner *s)
{
        return s->source->files[s->file];
}

/* Records an error at a line of the file and ends the scan. */
static int scan_failed(SourceScanner *s, unsigned line, const char *text)
{
        int r = config_errors_add(s->errors, file_name(s), line, NULL, "%s", text);

        return r < 0 ? r : -EINVAL;
}

static int append_text(SourceScanner *s, const char *data, size_t size)
{
        int r = source_append(s->source, data, size);

        return r == -EFBIG ? scan_failed(s, s->line, "the file and what it includes are larger than 1M") : r;
}

/* Copies the text from p up to next, at least a character, and goes there. */
static int copy_to(SourceScanner *s, const char *next)
{
        int r;

        r = append_text(s, s->p, (size_t) (next - s->p));
        if (r < 0)
                return r;
        for (; s->p < next; s->p++)
                s->line += *s->p == '\n';
        s->line_start = next[-1] == '\n';
        return 0;
}

/* Whether a word stands at p. */
static bool word_at(const SourceScanner *s, const char *p, const char *word)
{
        size_t n = strlen(word);

        return (size_t) (s->end - p) >= n && memcmp(p, word, n) == 0;
}

static int copy_comment(SourceScanner *s)
{
        const char *close = memmem(s->p + 2, (size_t) (s->end - s->p - 2), "*/", 2);

        return close ? copy_to(s, close + 2)
                     : scan_failed(s, s->line, "the comment that starts here is not closed");
}

static int copy_line_comment(SourceScanner *s)
{
        const char *newline = memchr(s->p, '\n', (size_t) (s->end - s->p));

        return copy_to(s, newline ? newline : s->end);
}

/* Finds the quote that ends the string at p, which is behind the first quote; NULL for none. */
static const char *find_quote(const char *p, const char *end)
{
        for (; p < end; p++) {
                if (*p == '"')
                        return p;
                if (*p == '\\' && end - p > 1 && (p[1] == '"' || p[1] == '\\'))
                        p++;
        }
        return NULL;
}

/* Whether the escape \x00, which libconfig would drop, stands in the string. */
static bool has_zero_escape(const char *p, const char *end)
{
        for (; end - p >= 4; p++) {
                if (p[0] != '\\')
                        continue;
                if ((p[1] == 'x' || p[1] == 'X') && p[2] == '0' && p[3] == '0')
                        return true;
                if (p[1] == '"' || p[1] == '\\')
                        p++;
        }
        return false;
}

static int copy_string(SourceScanner *s)
{
        const char *quote = find_quote(s->p + 1, s->end);
        int r;

        if (!quote)
                return scan_failed(s, s->line, "the string that starts here is not closed");
        if (has_zero_escape(s->p + 1, quote))
                return scan_failed(s, s->line, "a string cannot hold a zero byte");

        r = source_note_string(s->source);
        if (r < 0)
                return r;
        return copy_to(s, quote + 1);
}

/* Whether a number stands at p: digits, perhaps behind a sign. */
static bool number_at(const char *p)
{
        p += *p == '+' || *p == '-';
        return *p >= '0' && *p <= '9';
}

/*
 * libconfig 1.5 cuts a plain integer to 32 bits without a word, unless an L marks it as one of 64. So such a
 * mark is put behind those that need it. One that is too great even so becomes the greatest there is, which
 * no setting allows. Fractions and hexadecimal numbers are left alone: no setting takes one.
 */
static int copy_number(SourceScanner *s)
{
        const char *end = s->p + 1 + strspn(s->p + 1, DIGITS);
        bool plain = !*end || !strchr(".eExXL", *end);
        long long value = strtoll(s->p, NULL, 10);
        int r;

        if (!plain)
                end += strspn(end, NAME_CHARACTERS "+.");
        r = copy_to(s, end);
        if (r < 0 || !plain || (value >= INT_MIN && value <= INT_MAX))
                return r;
        return append_text(s, "L", 1);
}

static const char *skip_blanks(const SourceScanner *s, const char *p)
{
        while (p < s->end && (*p == ' ' || *p == '\t'))
                p++;
        return p;
}

/* If an include stands at the start of this line, returns where its path starts, otherwise NULL. */
static const char *match_include(const SourceScanner *s)
{
        const char *p = skip_blanks(s, s->p), *path;

        if (!word_at(s, p, INCLUDE))
                return NULL;
        p += strlen(INCLUDE);
        path = skip_blanks(s, p);
        return path > p && path < s->end && *path == '"' ? path + 1 : NULL;
}

/* The path between p and end without its escapes, behind the directory of the file that includes it. */
static int resolve_path(const SourceScanner *s, const char *p, const char *end, char **ret)
{
        const char *name = file_name(s), *slash = strrchr(name, '/');
        size_t directory = slash && *p != '/' ? (size_t) (slash + 1 - name) : 0;
        char *path, *out;

        path = malloc(directory + (size_t) (end - p) + 1);
        if (!path)
                return -ENOMEM;
        out = mempcpy(path, name, directory);
        for (; p < end; p++) {
                if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
                        p++;
                *out++ = *p;
        }
        *out = 0;
        *ret = path;
        return 0;
}

static int read_pool_file(const char *path, char **ret, size_t *ret_size)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        void *data;
        int r;

        /* O_NONBLOCK: a FIFO must not hold the manager. */
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (fd < 0)
                return -errno;
        r = io_read_file(fd, SOURCE_SIZE_MAX, &data, ret_size);
        if (r < 0)
                return r;
        *ret = data;
        return 0;
}

/* Reads the last of the source's files and puts it at the end of the text. */
static int include_file(SourceScanner *s)
{
        Source *source = s->source;
        SourceScanner inner = {
                .source = source,
                .errors = s->errors,
                .file = source->n_files - 1,
                .depth = s->depth + 1,
        };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = read_pool_file(source->files[inner.file], &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                r = config_errors_add(s->errors, file_name(s), s->line, NULL, "cannot include %s: %s",
                                      source->files[inner.file], strerror(-r));
                return r < 0 ? r : -EINVAL;
        }
        return scan_text(&inner, text, size);
}

/* Puts a file in the place of the line "@include …". The rest of that line comes after it. */
static int copy_include(SourceScanner *s, const char *path)
{
        Source *source = s->source;
        const char *quote = find_quote(path, s->end);
        int r;

        if (!quote || memchr(path, '\n', (size_t) (quote - path)))
                return scan_failed(s, s->line, "the path of this @include is not closed");
        if (s->depth == SOURCE_DEPTH_MAX)
                return scan_failed(s, s->line, "files include each other too deep, or in a circle");
        if (source->n_files == SOURCE_FILES_MAX)
                return scan_failed(s, s->line, "too many files are included");

        r = resolve_path(s, path, quote, &source->files[source->n_files]);
        if (r < 0)
                return r;
        source->n_files++;
        r = include_file(s);
        if (r < 0)
                return r;

        /* The text is at the start of a line: it was before, and the included text ended its last line. */
        s->p = quote + 1;
        s->line_start = true;
        return source_start_segment(source, s->file, s->line);
}

/* One step: a comment, a string, an include, a number, a name, or a single character. */
static int scan_step(SourceScanner *s)
{
        const char *path = s->line_start ? match_include(s) : NULL;

        if (path)
                return copy_include(s, path);
        if (word_at(s, s->p, "/*"))
                return copy_comment(s);
        if (word_at(s, s->p, "//") || *s->p == '#')
                return copy_line_comment(s);
        if (*s->p == '"')
                return copy_string(s);

        if (!strchr(BLANKS "\r\n\f", *s->p))
                s->source->after_string = false;
        if (number_at(s->p))
                return copy_number(s);
        return copy_to(s, s->p + MAX(strspn(s->p, NAME_CHARACTERS), (size_t) 1));
}

/* The line of a place in a text. */
static unsigned line_of(const char *text, const char *place)
{
        unsigned line = 1;

        for (; text < place; text++)
                line += *text == '\n';
        return line;
}

/* Goes through the text of a file. The last line gets an end: libconfig needs one behind a comment. */
static int scan_text(SourceScanner *s, const char *text, size_t size)
{
        const char *zero = memchr(text, 0, size);
        int r;

        s->p = text;
        s->end = text + size;
        s->line = 1;
        s->line_start = true;
        if (zero)
                return scan_failed(s, line_of(text, zero), "the file holds a zero byte");

        r = source_start_segment(s->source, s->file, s->line);
        while (r >= 0 && s->p < s->end)
                r = scan_step(s);
        if (r >= 0 && !s->line_start)
                r = append_text(s, "\n", 1);
        return r;
}

int source_from_text(const char *name, const char *text, Source **ret, ConfigErrors *errors)
{
        _cleanup_(source_freep) Source *source = NULL;
        SourceScanner scanner = { .errors = errors };
        int r;

        r = source_new(name, &source);
        if (r < 0)
                return r;
        scanner.source = source;
        r = scan_text(&scanner, text, strlen(text));
        if (r < 0)
                return r;

        *ret = TAKE_PTR(source);
        return 0;
}

int source_from_file(const char *path, Source **ret, ConfigErrors *errors)
{
        _cleanup_(source_freep) Source *source = NULL;
        SourceScanner scanner = { .errors = errors };
        _cleanup_(freep) char *text = NULL;
        size_t size;
        int r;

        r = read_pool_file(path, &text, &size);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                r = config_errors_add(errors, path, 0, NULL, "cannot be read: %s%s", strerror(-r),
                                      r == -ENOENT ? "; an empty file is a pool with the defaults" : "");
                return r < 0 ? r : -EINVAL;
        }

        r = source_new(path, &source);
        if (r < 0)
                return r;
        scanner.source = source;
        r = scan_text(&scanner, text, size);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(source);
        return 0;
}
