/* SPDX-License-Identifier: MIT */

/*
 * How what is imported is written: in the quotes of systemd's units (systemd.syntax(7), systemd.unit(5)), of
 * PHP's ini files and of pool files. Knows no directive.
 */

#include "base/text.h"
#include "base/utf8.h"
#include "ctl/import/internal.h"
#include "poolfile/dump.h"

#define DIGITS "0123456789"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Whether it is UTF-8 without control characters, but for tabs. */
static bool is_plain_text(const char *s)
{
        size_t size = strlen(s);

        while (size > 0) {
                uint32_t code;
                size_t n = utf8_decode(s, size, &code);

                if (n == 0 || (code < ' ' && code != '\t') || code == 0x7f)
                        return false;
                s += n;
                size -= n;
        }
        return true;
}

bool unit_write_value(const char *value, FILE *f)
{
        size_t n = strlen(value);

        /* A backslash at a line's end would take the next line in. */
        if (n == 0 || !is_plain_text(value) || strchr(" \t", value[0]) || strchr(" \t\\", value[n - 1]))
                return false;
        for (; *value; value++)
                fputs(*value == '%' ? "%%" : (char[]){ *value, 0 }, f);
        return true;
}

bool unit_write_word(const char *word, FILE *f)
{
        if (!is_plain_text(word))
                return false;
        fputc('"', f);
        for (; *word; word++)
                switch (*word) {
                case '%':
                        fputs("%%", f);
                        break;
                case '\t':
                        fputs("\\t", f);
                        break;
                case '"':
                case '\\':
                        fputc('\\', f);
                        _fallthrough_;
                default:
                        fputc(*word, f);
                }
        fputc('"', f);
        return true;
}

int unit_write_option(ImportPool *p, const FpmEntry *entry, FILE *f, const char *name, const char *value)
{
        _cleanup_(freep) char *escaped = NULL;
        Text text;
        bool fits;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        fits = unit_write_value(value, text.f);
        r = text_close(&text, 0, &escaped);
        if (r < 0)
                return r;
        if (!fits)
                return import_note(p, entry, true, "not imported: %s= cannot hold this value", name);
        fprintf(f, "%s=%s\n", name, escaped);
        return 0;
}

/* Whether PHP reads it as it stands: a number, a size, a path. No word: that could be a constant. */
static bool ini_needs_no_quotes(const char *value)
{
        const char *rest = value + (*value == '-');

        if (*rest == '/')
                return !rest[strspn(rest, LETTERS DIGITS "/._-")];
        return *rest >= '0' && *rest <= '9' && !rest[strspn(rest, LETTERS DIGITS ".")];
}

int ini_line_format(const char *name, const char *value, char **ret)
{
        Text text;
        FILE *f;
        int r;

        r = text_open(&text);
        if (r < 0)
                return r;
        f = text.f;
        fprintf(f, "%s=", name);
        if (!*value || ini_needs_no_quotes(value))
                fputs(value, f);
        else if (!strchr(value, '\''))
                fprintf(f, "'%s'", value);
        else {
                fputc('"', f);
                for (; *value; value++)
                        fprintf(f, strchr("\"\\$", *value) ? "\\%c" : "%c", *value);
                fputc('"', f);
        }
        return text_close(&text, 0, ret);
}

static void write_list(char *const *list, const char *indent, FILE *f)
{
        fputc('[', f);
        for (size_t i = 0; list[i]; i++) {
                fprintf(f, "%s\n%s        ", i > 0 ? "," : "", indent);
                quote_write(list[i], CONFIG_STRING_MAX, f);
        }
        fprintf(f, "%s%s]", *list ? "\n" : "", *list ? indent : "");
}

static void write_pool_setting(const ImportPool *p, const Setting *s, const char *name, const char *indent,
                               FILE *f)
{
        fprintf(f, "%s%s = ", indent, name);
        if (setting_storage(s) == STORE_STRV)
                write_list(setting_get_list(s, p->config), indent, f);
        else
                setting_write(s, p->config, f);
        fputs(";\n", f);
}

int import_mark_format(const char *file, char **ret)
{
        if (text_format(ret, IMPORT_MARK "%s.", file) < 0)
                return -ENOMEM;
        utf8_make_printable(*ret);
        return 0;
}

/* Writes the notes of the pool, and those of [global], as comments. */
static void write_notes(const ImportPool *p, FILE *f)
{
        const Import *import = p->import;

        for (size_t i = 0; i < import->n_notes; i++) {
                _cleanup_(freep) char *text = NULL;

                if (import->notes[i].section != p->section && import->notes[i].section != p->global)
                        continue;
                if (import_note_format(&import->notes[i], &text) >= 0)
                        fprintf(f, "# %s\n", text);
        }
}

void import_write_pool(const ImportPool *p, FILE *f)
{
        const char *group = NULL;
        size_t n_group = 0;

        write_notes(p, f);

        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                const char *key = settings[i].key, *dot = strchr(key, '.');

                if (!p->set[i])
                        continue;
                if (group && (!dot || strncmp(group, key, n_group) != 0)) {
                        fputs("};\n", f);
                        group = NULL;
                }
                if (dot && !group) {
                        group = key;
                        n_group = (size_t) (dot + 1 - key);
                        fprintf(f, "\n%.*s = {\n", (int) n_group - 1, key);
                } else if (!dot)
                        fputc('\n', f);
                write_pool_setting(p, &settings[i], dot ? dot + 1 : key, dot ? "        " : "", f);
        }
        if (group)
                fputs("};\n", f);
}
