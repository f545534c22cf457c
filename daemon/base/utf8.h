/* SPDX-License-Identifier: MIT */
#pragma once

/* UTF-8 (RFC 3629), for text that others wrote: requests' URIs, scripts' names. Pure. */

#include "base/util.h"

/*
 * The length of the character at the start of bytes[], 1 to 4, and its code point; 0 where there is no valid
 * one (truncated, overlong, a surrogate, beyond U+10FFFF) or size is 0.
 */
size_t utf8_decode(const char *bytes, size_t size, uint32_t *ret_code);

/* Replaces in place, by "?" each, control characters and bytes that are not UTF-8: it is one line then. */
void utf8_make_printable(char *s);
