/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading name-value pairs (3.4): one at a time, and a stream of them cut anywhere. For the decoder. */

#include "base/params.h"

typedef struct FcgiPair {
        const uint8_t *name, *value;
        size_t name_size, value_size;
        size_t size; /* with the lengths */
} FcgiPair;

/*
 * Reads the lengths of the pair at p. False when more bytes are needed for them. The rest need not be there:
 * compare ret->size with size before using the pointers.
 */
bool fcgi_pair_read(const uint8_t *p, size_t size, FcgiPair *ret);

/* The start of a pair that goes on in bytes still to come. All zero is empty. */
typedef struct FcgiCutPair {
        uint8_t *bytes;
        size_t used; /* always less than a whole pair */
        size_t allocated;
} FcgiCutPair;

/*
 * Sets a parameter for each pair that these bytes complete; what is left of them waits in cut. -E2BIG for
 * what goes beyond the bounds of params.h, also when only the lengths are there to say so; -ENOMEM. After an
 * error both are to be cleared.
 */
int fcgi_pairs_take(FcgiCutPair *cut, Params *params, const uint8_t *bytes, size_t size);

/* Forgets the bytes and keeps a moderate amount of memory. */
void fcgi_cut_pair_clear(FcgiCutPair *cut);

/* Forgets the bytes and frees the memory. */
void fcgi_cut_pair_done(FcgiCutPair *cut);
