/* SPDX-License-Identifier: MIT */

/*
 * Reading name-value pairs: see pairs.h. Pairs that are whole in the input are read where they are, which is
 * the usual case; only one that the input cuts in two is copied aside. How much that can be is bounded by
 * PARAMS_SIZE_MAX and the content of one record, and it grows by what arrived.
 */

#include "fastcgi/pairs.h"

/* The memory for cut pairs that is kept from request to request. */
#define CUT_PAIR_KEEP (16U * 1024U)

/* Reads the length at p; gives the bytes that it takes, 0 when more are needed. */
static size_t read_length(const uint8_t *p, size_t size, size_t *ret)
{
        if (size == 0)
                return 0;
        if (p[0] < 128) {
                *ret = p[0];
                return 1;
        }
        if (size < 4)
                return 0;
        *ret = (size_t) (p[0] & 127) << 24 | (size_t) p[1] << 16 | (size_t) p[2] << 8 | p[3];
        return 4;
}

bool fcgi_pair_read(const uint8_t *p, size_t size, FcgiPair *ret)
{
        size_t a, b, name_size, value_size;

        a = read_length(p, size, &name_size);
        if (a == 0)
                return false;
        b = read_length(p + a, size - a, &value_size);
        if (b == 0)
                return false;

        *ret = (FcgiPair) {
                .name = p + a + b,
                .value = p + a + b + MIN(name_size, size - a - b),
                .name_size = name_size,
                .value_size = value_size,
                .size = a + b + name_size + value_size,
        };
        return true;
}

/* Sets the parameters of all whole pairs and says how many bytes they are. */
static int set_params(Params *params, const uint8_t *bytes, size_t size, size_t *ret_used)
{
        size_t used = 0;
        FcgiPair pair;

        while (fcgi_pair_read(bytes + used, size - used, &pair)) {
                int r;

                if (pair.name_size + pair.value_size > PARAMS_SIZE_MAX)
                        return -E2BIG;
                if (pair.size > size - used)
                        break;
                r = params_set(params, (const char *) pair.name, pair.name_size, (const char *) pair.value,
                               pair.value_size);
                if (r < 0)
                        return r;
                used += pair.size;
        }
        *ret_used = used;
        return 0;
}

static int cut_pair_append(FcgiCutPair *cut, const uint8_t *bytes, size_t size)
{
        size_t needed = cut->used + size;

        if (needed > cut->allocated) {
                size_t allocated = MAX(needed, 2 * cut->allocated);
                uint8_t *p;

                p = realloc(cut->bytes, allocated);
                if (!p)
                        return -ENOMEM;
                cut->bytes = p;
                cut->allocated = allocated;
        }
        memcpy(cut->bytes + cut->used, bytes, size);
        cut->used = needed;
        return 0;
}

int fcgi_pairs_take(FcgiCutPair *cut, Params *params, const uint8_t *bytes, size_t size)
{
        size_t used;
        int r;

        assert(bytes || size == 0);

        if (cut->used == 0) {
                r = set_params(params, bytes, size, &used);
                if (r < 0 || used == size)
                        return r;
                return cut_pair_append(cut, bytes + used, size - used);
        }

        r = cut_pair_append(cut, bytes, size);
        if (r < 0)
                return r;
        r = set_params(params, cut->bytes, cut->used, &used);
        if (r < 0)
                return r;
        cut->used -= used;
        memmove(cut->bytes, cut->bytes + used, cut->used);
        return 0;
}

void fcgi_cut_pair_clear(FcgiCutPair *cut)
{
        cut->used = 0;
        if (cut->allocated > CUT_PAIR_KEEP)
                fcgi_cut_pair_done(cut);
}

void fcgi_cut_pair_done(FcgiCutPair *cut)
{
        free(cut->bytes);
        *cut = (FcgiCutPair) {};
}
