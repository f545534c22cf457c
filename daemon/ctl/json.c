/* SPDX-License-Identifier: MIT */

/* Writing JSON: see json.h. It can write nothing that is not valid JSON in UTF-8, whatever it is given. */

#include "ctl/json.h"

#include <inttypes.h>

#include "base/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* As JSON has it: in UTF-16, whose pairs stand for what is beyond U+FFFF. */
static void write_escape(FILE *f, uint32_t code)
{
        if (code > 0xffff) {
                fprintf(f, "\\u%04x", (unsigned) (0xd800 + ((code - 0x10000) >> 10)));
                code = 0xdc00 + ((code - 0x10000) & 0x3ff);
        }
        fprintf(f, "\\u%04x", (unsigned) code);
}

/* RFC 8259, section 7; all that is not printable is escaped too, as JSON is shown on terminals. */
static void write_character(FILE *f, const char *bytes, size_t n, uint32_t code)
{
        static const char letters[] = {
                ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
        };

        if (code == '"' || code == '\\')
                fprintf(f, "\\%c", (int) code);
        else if (code < ELEMENTSOF(letters) && letters[code])
                fprintf(f, "\\%c", letters[code]);
        else if (!utf8_is_printable(code))
                write_escape(f, code);
        else
                (void) fwrite(bytes, 1, n, f);
}

static void write_string(FILE *f, const char *s)
{
        size_t size = strlen(s);

        fputc('"', f);
        while (size > 0) {
                uint32_t code;
                size_t n;

                n = utf8_decode(s, size, &code);
                if (n > 0) {
                        write_character(f, s, n, code);
                } else {
                        fputs(REPLACEMENT, f);
                        n = 1;
                }
                s += n;
                size -= n;
        }
        fputc('"', f);
}

/* What stands before each value. */
static void begin_value(Json *json, const char *name)
{
        if (json->comma)
                fputc(',', json->f);
        if (name) {
                write_string(json->f, name);
                fputc(':', json->f);
        }
        json->comma = true;
}

static void begin(Json *json, const char *name, char bracket)
{
        begin_value(json, name);
        fputc(bracket, json->f);
        json->comma = false;
}

static void end(Json *json, char bracket)
{
        fputc(bracket, json->f);
        json->comma = true;
}

void json_begin_object(Json *json, const char *name)
{
        begin(json, name, '{');
}

void json_begin_array(Json *json, const char *name)
{
        begin(json, name, '[');
}

void json_end_object(Json *json)
{
        end(json, '}');
}

void json_end_array(Json *json)
{
        end(json, ']');
}

void json_end_line(Json *json)
{
        fputc('\n', json->f);
        json->comma = false;
}

void json_number(Json *json, const char *name, uint64_t value)
{
        begin_value(json, name);
        fprintf(json->f, "%" PRIu64, value);
}

void json_hundredths(Json *json, const char *name, uint64_t value)
{
        begin_value(json, name);
        fprintf(json->f, "%" PRIu64 ".%02" PRIu64, value / 100, value % 100);
}

void json_string(Json *json, const char *name, const char *value)
{
        begin_value(json, name);
        if (value)
                write_string(json->f, value);
        else
                fputs("null", json->f);
}
