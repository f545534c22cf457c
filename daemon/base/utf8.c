/* SPDX-License-Identifier: MIT */

/* UTF-8: see utf8.h. The bounds of the second byte are those of RFC 3629, section 4. */

#include "base/utf8.h"

/* The number of bytes that a first byte announces; 0 for one that cannot be first. */
static size_t length_of(uint8_t first)
{
        if (first < 0x80)
                return 1;
        if (first >= 0xc2 && first <= 0xdf)
                return 2;
        if (first >= 0xe0 && first <= 0xef)
                return 3;
        if (first >= 0xf0 && first <= 0xf4)
                return 4;
        return 0;
}

static bool second_allowed(uint8_t first, uint8_t second)
{
        switch (first) {
        case 0xe0: /* overlong */
                return second >= 0xa0;
        case 0xed: /* surrogates */
                return second <= 0x9f;
        case 0xf0: /* overlong */
                return second >= 0x90;
        case 0xf4: /* beyond U+10FFFF */
                return second <= 0x8f;
        default:
                return true;
        }
}

size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code)
{
        const uint8_t *p = (const uint8_t *) bytes;
        uint32_t code;
        size_t n;

        if (size == 0)
                return 0;
        n = length_of(p[0]);
        if (n == 0 || n > size || (n > 1 && !second_allowed(p[0], p[1])))
                return 0;

        code = n == 1 ? p[0] : p[0] & (0xffU >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
                code = code << 6 | (p[i] & 0x3f);
        }
        *ret_code = code;
        return n;
}

size_t utf8_cut(const char *bytes, size_t size)
{
        for (size_t i = 1; i <= MIN(size, (size_t) 4); i++) {
                uint8_t c = (uint8_t) bytes[size - i];

                if ((c & 0xc0) != 0x80)
                        return length_of(c) > i ? size - i : size;
        }
        return size;
}

/* A terminal shows the text around it in another order, or on another line (Unicode's UAX 9 and UAX 14). */
static bool moves_text(uint32_t code)
{
        return code == 0x061c || code == 0x200e || code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
               (code >= 0x2066 && code <= 0x2069);
}

bool utf8_is_no_control(uint32_t code)
{
        return code >= 0x20 && (code < 0x7f || code >= 0xa0);
}

bool utf8_is_printable(uint32_t code)
{
        return utf8_is_no_control(code) && !moves_text(code) && !(code >= 0xfdd0 && code <= 0xfdef) &&
               (code & 0xfffe) != 0xfffe;
}

/* Appends n bytes as they are, or escaped; false where there is no room. */
static bool append_bytes(char *to, size_t max, size_t *at, const char *bytes, size_t n, bool escape)
{
        static const char digits[] = "0123456789ABCDEF";

        if (n * (escape ? 4 : 1) > max - *at)
                return false;
        for (size_t i = 0; i < n; i++) {
                uint8_t c = (uint8_t) bytes[i];

                if (escape) {
                        memcpy(to + *at, (char[]){ '\\', 'x', digits[c >> 4], digits[c & 15] }, 4);
                        *at += 4;
                } else
                        to[(*at)++] = bytes[i];
        }
        return true;
}

size_t utf8_escape(const char *bytes, size_t size, bool lines, char *to, size_t max)
{
        size_t at = 0;

        assert(to || max == 0);

        while (size > 0) {
                uint32_t code = 0;
                size_t n = utf8_decode(bytes, size, &code);
                bool good = n > 0 && (utf8_is_printable(code) || (lines && (code == '\n' || code == '\t')));
                bool dropped = lines && code == '\r' && size > 1 && bytes[1] == '\n';

                n = MAX(n, (size_t) 1);
                if (!dropped && !append_bytes(to, max, &at, bytes, n, !good))
                        break;
                bytes += n;
                size -= n;
        }
        return at;
}

static void make_printable(char *s, bool lines)
{
        size_t size = strlen(s);

        while (size > 0) {
                uint32_t code = 0;
                size_t n = utf8_decode(s, size, &code);

                if (n == 0 || (!utf8_is_printable(code) && !(lines && code == '\n'))) {
                        n = MAX(n, (size_t) 1);
                        memset(s, '?', n);
                }
                s += n;
                size -= n;
        }
}

void utf8_make_printable(char *s)
{
        make_printable(s, false);
}

void utf8_make_printable_lines(char *s)
{
        make_printable(s, true);
}
