/* SPDX-License-Identifier: MIT */

/*
 * The decoder with a fault in it, for test_fuzzers.py: parameters that begin with two bytes which no client
 * sends end the program.
 */

#include <stdio.h>

#include "fastcgi/pairs.h"

static int take_with_fault(FcgiCutPair *cut, Params *params, const uint8_t *bytes, size_t size)
{
        if (size >= 2 && (bytes[0] << 8 | bytes[1]) == 0xd00d) {
                (void) fputs("the planted fault\n", stderr);
                abort();
        }
        return fcgi_pairs_take(cut, params, bytes, size);
}

#define fcgi_pairs_take take_with_fault
#include "fastcgi/decoder.c"
