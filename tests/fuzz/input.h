/* SPDX-License-Identifier: MIT */
#pragma once

/* What fuzzers take their input apart with. All strings are new ones, of just their size: reading beyond is
 * found. */

#include "base/util.h"

/* Checks also where assert() is compiled out. */
#define CHECK(condition) ((condition) ? (void) 0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Input {
        const uint8_t *bytes;
        size_t left;
} Input;

/* The next n bytes, zeroes behind the end. */
static inline void input_bytes(Input *in, void *to, size_t n)
{
        size_t there = MIN(n, in->left);

        memset(to, 0, n);
        if (there > 0)
                memcpy(to, in->bytes, there);
        in->bytes += there;
        in->left -= there;
}

static inline uint8_t input_byte(Input *in)
{
        uint8_t byte;

        input_bytes(in, &byte, 1);
        return byte;
}

/* A copy of some bytes, and a zero. */
static inline char *input_copy(const void *bytes, size_t n)
{
        char *s = malloc(n + 1);

        CHECK(s);
        if (n > 0)
                memcpy(s, bytes, n);
        s[n] = 0;
        return s;
}

/* What comes before the next such byte, or the end, which is taken, too. */
static inline char *input_until(Input *in, char end)
{
        const uint8_t *found = in->left > 0 ? memchr(in->bytes, end, in->left) : NULL;
        size_t n = found ? (size_t) (found - in->bytes) : in->left;
        char *s = input_copy(in->bytes, n);

        in->bytes += n + (found ? 1 : 0);
        in->left -= n + (found ? 1 : 0);
        return s;
}

static inline char *input_line(Input *in)
{
        return input_until(in, '\n');
}
