/* SPDX-License-Identifier: MIT */

/* Writing JSON: see json.h. It can write nothing that is not valid JSON in UTF-8, whatever it is given. */

#include "base/json.h"

#include <inttypes.h>

#include "base/utf8.h"

/* RFC 8259, section 7: what differs between the styles. */
static const struct {
        const char *quoted; /* characters that a backslash makes harmless */
        bool letters;       /* \n for a line break; else \u000a, as for any other control character */
        bool (*is_plain)(uint32_t c); /* whether the character may stand as it is */
        const char *replacement;      /* of what is no character */
} styles[] = {
        [JSON_TERMINAL] = { "\"\\", true, utf8_is_printable, "\xef\xbf\xbd" },
        [JSON_FPM] = { "\"\\/", false, utf8_is_no_control, "?" },
};
static_assert(ELEMENTSOF(styles) == _JSON_STYLE_MAX, "every style is in the table");

/* As JSON has it: in UTF-16, whose pairs stand for what is beyond U+FFFF. */
static void write_escape(FILE *f, uint32_t code)
{
        if (code > 0xffff) {
                fprintf(f, "\\u%04x", (unsigned) (0xd800 + ((code - 0x10000) >> 10)));
                code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        fprintf(f, "\\u%04x", (unsigned) code);
}

static void write_character(const Json *json, const char *bytes, size_t n, uint32_t code)
{
        static const char letters[] = {
                ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
        };

        if (n == 1 && code > 0 && strchr(styles[json->style].quoted, (int) code))
                fprintf(json->f, "\\%c", (int) code);
        else if (styles[json->style].letters && code < ELEMENTSOF(letters) && letters[code])
                fprintf(json->f, "\\%c", letters[code]);
        else if (styles[json->style].is_plain(code))
                (void) fwrite(bytes, 1, n, json->f);
        else
                write_escape(json->f, code);
}

/* Whether PHP-FPM's page, which is XML as well, cannot have the character: XML 1.0, section 2.2. */
static bool is_left_out(const Json *json, uint32_t code)
{
        return json->style == JSON_FPM && (code == 0xfffe || code == 0xffff);
}

static void write_string(const Json *json, const char *s, size_t size)
{
        fputc('"', json->f);
        while (size > 0) {
                uint32_t code = 0;
                size_t n = utf8_decode(s, size, &code);

                if (n > 0 && !is_left_out(json, code))
                        write_character(json, s, n, code);
                else
                        fputs(styles[json->style].replacement, json->f);
                n = MAX(n, (size_t) 1);
                s += n;
                size -= n;
        }
        fputc('"', json->f);
}

/* Writes what stands before each value. */
static void write_name(Json *json, const char *name)
{
        assert(json->f);
        assert((size_t) json->style < ELEMENTSOF(styles));

        if (json->separator)
                fputs(json->separator, json->f);
        if (name) {
                write_string(json, name, strlen(name));
                fputc(':', json->f);
        }
        json->separator = ",";
}

static void open_bracket(Json *json, const char *name, char bracket)
{
        write_name(json, name);
        fputc(bracket, json->f);
        json->separator = NULL;
}

static void close_bracket(Json *json, char bracket)
{
        fputc(bracket, json->f);
        json->separator = ",";
}

void json_begin_object(Json *json, const char *name)
{
        open_bracket(json, name, '{');
}

void json_begin_array(Json *json, const char *name)
{
        open_bracket(json, name, '[');
}

void json_end_object(Json *json)
{
        close_bracket(json, '}');
}

void json_end_array(Json *json)
{
        close_bracket(json, ']');
}

void json_end_line(Json *json)
{
        fputc('\n', json->f);
        json->separator = NULL;
}

void json_number(Json *json, const char *name, uint64_t value)
{
        write_name(json, name);
        fprintf(json->f, "%" PRIu64, value);
}

void json_hundredths(Json *json, const char *name, uint64_t value)
{
        write_name(json, name);
        fprintf(json->f, "%" PRIu64 ".%02" PRIu64, value / 100, value % 100);
}

void json_string_of(Json *json, const char *name, const char *bytes, size_t size)
{
        assert(bytes);

        write_name(json, name);
        write_string(json, bytes, size);
}

void json_string(Json *json, const char *name, const char *value)
{
        if (value) {
                json_string_of(json, name, value, strlen(value));
                return;
        }
        write_name(json, name);
        fputs("null", json->f);
}
