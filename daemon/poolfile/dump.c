/* SPDX-License-Identifier: MIT */

/*
 * Settings as text for people: what a value has to be (errors, the manual) and what it is (--check).
 *
 * Everything is written as it would stand in a pool file, so that what is shown can be copied into one.
 */

#include "poolfile/dump.h"

#include "base/parse.h"
#include "base/utf8.h"

/* A bound of the setting's range, in its unit. */
static const char *format_bound(const Setting *s, uint64_t n, char *buffer)
{
        if (s->type == SETTING_TIME)
                return format_usec(buffer, n);
        if (s->type == SETTING_SIZE)
                return format_size(buffer, n);
        (void) snprintf(buffer, PARSE_FORMAT_MAX, "%llu", (unsigned long long) n);
        return buffer;
}

static void describe_choice(SettingType type, FILE *f)
{
        const char *word;

        for (uint64_t n = 0; (word = setting_choice(type, n)); n++)
                fprintf(f, "%s\"%s\"", n == 0 ? "" : setting_choice(type, n + 1) ? ", " : " or ", word);
}

void setting_describe_element(const Setting *s, FILE *f)
{
        assert(setting_storage(s) == STORE_STRV);
        fputs(setting_types[s->type].text, f);
}

void setting_describe(const Setting *s, FILE *f)
{
        char min[PARSE_FORMAT_MAX], max[PARSE_FORMAT_MAX];

        switch (setting_storage(s)) {
        case STORE_U64:
                fprintf(f, "%s from %s to %s", setting_types[s->type].text, format_bound(s, s->min, min),
                        format_bound(s, s->max, max));
                if (setting_types[s->type].examples)
                        fprintf(f, ", such as %s", setting_types[s->type].examples);
                break;
        case STORE_INT:
                describe_choice(s->type, f);
                break;
        case STORE_STRV:
                fprintf(f, "a list of strings, each %s", setting_types[s->type].text);
                break;
        default:
                fputs(setting_types[s->type].text, f);
        }
}

/* The letter of the escapes that libconfig knows, or 0. */
static char escape_letter(char c)
{
        switch (c) {
        case '"':
        case '\\':
                return c;
        case '\n':
                return 'n';
        case '\r':
                return 'r';
        case '\t':
                return 't';
        case '\f':
                return 'f';
        default:
                return 0;
        }
}

/* Writes the character at the start of bytes, or its first byte, and returns how many that were. */
static size_t quote_character(const char *bytes, size_t size, FILE *f)
{
        uint32_t code = 0;
        size_t n = utf8_decode(bytes, size, &code);

        if (n > 0 && utf8_is_printable(code)) {
                (void) fwrite(bytes, 1, n, f);
                return n;
        }
        fprintf(f, "\\x%02x", (uint8_t) *bytes);
        return 1;
}

void quote_write(const char *string, size_t max, FILE *f)
{
        size_t n = strnlen(string, max);

        /* Not in the middle of a character of UTF-8. */
        while (string[n] && n > 0 && ((uint8_t) string[n] & 0xc0) == 0x80)
                n--;

        fputc('"', f);
        for (size_t i = 0, size; i < n; i += size) {
                char letter = escape_letter(string[i]);

                size = 1;
                if (letter)
                        fprintf(f, "\\%c", letter);
                else
                        size = quote_character(string + i, n - i, f);
        }
        fputs(string[n] ? "…\"" : "\"", f);
}

void setting_write(const Setting *s, const Config *config, FILE *f)
{
        char buffer[PARSE_FORMAT_MAX];
        char **list;

        switch (setting_storage(s)) {
        case STORE_U64:
                fprintf(f, s->type == SETTING_COUNT ? "%s" : "\"%s\"",
                        format_bound(s, setting_get_number(s, config), buffer));
                break;
        case STORE_BOOL:
                fputs(setting_get_number(s, config) ? "true" : "false", f);
                break;
        case STORE_INT:
                fprintf(f, "\"%s\"", setting_choice(s->type, setting_get_number(s, config)));
                break;
        case STORE_STRING:
                quote_write(setting_get_string(s, config), CONFIG_STRING_MAX, f);
                break;
        case STORE_STRV:
                list = setting_get_list(s, config);
                fputc('[', f);
                for (size_t i = 0; list[i]; i++) {
                        fputs(i > 0 ? ", " : "", f);
                        quote_write(list[i], CONFIG_STRING_MAX, f);
                }
                fputc(']', f);
        }
}

void config_dump(const Config *config, FILE *f)
{
        for (size_t i = 0; i < ELEMENTSOF(settings); i++) {
                fprintf(f, "%s = ", settings[i].key);
                setting_write(&settings[i], config, f);
                fputs(";\n", f);
        }
}
