/* SPDX-License-Identifier: MIT */
#pragma once

/* UTF-8 (RFC 3629), for text that others wrote: requests' URIs, scripts' names. Pure. */

#include "base/util.h"

/*
 * The length of the character at the start of bytes[], 1 to 4, and its code point; 0 where there is no valid
 * one (truncated, overlong, a surrogate, beyond U+10FFFF) or size is 0.
 */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code);

/* size, less the bytes of a character that begins at the end of bytes[] and is not complete there. */
size_t utf8_cut(const char *bytes, size_t size);

/*
 * Whether the character may be shown and passed on: no control character (C0, DEL, C1), which a terminal may
 * act on, none that shows the text around it in another order or on another line, and no noncharacter, which
 * sd-bus refuses in strings.
 */
bool utf8_is_printable(uint32_t code);

/* Whether the character is none of C0, DEL and C1: a weaker rule, for readers that are no terminals. */
bool utf8_is_no_control(uint32_t code);

/*
 * Copies text to to[], of which max bytes are used and no zero is added. Bytes that are not printable, or
 * not UTF-8, are written as "\x1B", one by one, as in the access log. With lines set, line breaks and tabs
 * stay, and a carriage return in front of a line break is left out. Text that does not fit is cut, never
 * within a character. The number of bytes written.
 */
size_t utf8_escape(const char *bytes, size_t size, bool lines, char *to, size_t max);

/* Replaces bytes that are not printable or not UTF-8 with "?", in place: the text is one line then. */
void utf8_make_printable(char *s);

/* The same, but line breaks stay. */
void utf8_make_printable_lines(char *s);
