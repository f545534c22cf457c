/* SPDX-License-Identifier: MIT */

/*
 * The parameters of a request: see params.h. It is on the path of every request, so what is usual is cheap:
 * some 40 parameters fit one block of memory that is kept from request to request, and a name is mostly
 * found, or known not to be there, by one look at a small table. Strings live in an arena of blocks that
 * never move and are only freed together; a replaced value leaves its old bytes there. The entries stand in
 * arrays of full size, of which only the pages that were used take memory.
 */

#include "base/params.h"

/* The size of an ordinary block, and so of the memory that params_clear() keeps. */
#define BLOCK_SIZE (16U * 1024U)

/* Several times as many as an ordinary request has parameters; a power of two. */
#define HINTS 512U

typedef struct ParamsBlock ParamsBlock;

struct ParamsBlock {
        ParamsBlock *next;
        size_t size; /* of data[] */
        size_t used;
        char data[];
};

struct Params {
        ParamsBlock *blocks; /* the first is the one that is being filled */
        size_t first;  /* the first item, 1 at first: there is room for one in front */
        size_t end;    /* behind the last */
        size_t n_set;  /* calls of params_set() since params_clear() */
        size_t size;   /* bytes given to them, with the zeros */
        /* By the hash of a name, where it stands if it has not moved; 0 where none of that hash was set. */
        uint16_t hints[HINTS];
        uint32_t keys[1 + PARAMS_COUNT_MAX]; /* of the names, by name_key() */
        Param items[1 + PARAMS_COUNT_MAX];
};

/* The arrays of items are left alone, or all of their pages would be touched. */
static void forget_items(Params *params)
{
        params->first = params->end = 1;
        params->n_set = params->size = 0;
        memset(params->hints, 0, sizeof params->hints);
}

int params_new(Params **ret)
{
        Params *params;

        params = malloc(sizeof *params);
        if (!params)
                return -ENOMEM;

        params->blocks = NULL;
        forget_items(params);
        *ret = params;
        return 0;
}

static void blocks_free(ParamsBlock *block)
{
        while (block) {
                ParamsBlock *next = block->next;

                free(block);
                block = next;
        }
}

void params_free(Params *params)
{
        if (!params)
                return;

        blocks_free(params->blocks);
        free(params);
}

void params_clear(Params *params)
{
        ParamsBlock *keep = params->blocks;

        if (keep) {
                blocks_free(keep->next);
                keep->next = NULL;
                keep->used = 0;
                if (keep->size > BLOCK_SIZE) {
                        free(keep);
                        params->blocks = NULL;
                }
        }
        forget_items(params);
}

/* Room for size bytes. A string that would fill a block alone gets its own, behind the one being filled. */
static char *params_allocate(Params *params, size_t size)
{
        ParamsBlock *first = params->blocks, *block;
        char *p;

        if (first && first->size - first->used >= size) {
                p = first->data + first->used;
                first->used += size;
                return p;
        }

        block = malloc(sizeof *block + MAX(size, BLOCK_SIZE));
        if (!block)
                return NULL;
        block->size = MAX(size, BLOCK_SIZE);
        block->used = size;
        if (first && size >= BLOCK_SIZE) {
                block->next = first->next;
                first->next = block;
        } else {
                block->next = first;
                params->blocks = block;
        }
        return block->data;
}

/* Puts the bytes there with a zero behind, and says where that ends. */
static char *put(char *p, const char *bytes, size_t size)
{
        if (size > 0)
                memcpy(p, bytes, size);
        p[size] = 0;
        return p + size + 1;
}

/* What tells most names apart: the size, and bytes from where HTTP_* and the like differ. */
static uint32_t name_key(const char *name, size_t size)
{
        if (size == 0)
                return 0;

        return (uint32_t) size << 16 | (uint32_t) (uint8_t) name[size / 2] << 8 | (uint8_t) name[size - 1];
}

/* Fibonacci hashing: the upper bits of the product depend on all of the key. */
static size_t key_hash(uint32_t key)
{
        return key * UINT32_C(2654435769) / (UINT32_MAX / HINTS + 1);
}

static bool stands_at(const Params *params, size_t i, uint32_t key, const char *name, size_t name_size)
{
        return params->keys[i] == key && params->items[i].name_size == name_size &&
               (name_size == 0 || memcmp(params->items[i].name, name, name_size) == 0);
}

/* The place of a name, or params->end. */
static size_t params_find(const Params *params, const char *name, size_t name_size)
{
        uint32_t key = name_key(name, name_size);
        size_t i = params->hints[key_hash(key)];

        if (i == 0)
                return params->end;
        if (i >= params->first && i < params->end && stands_at(params, i, key, name, name_size))
                return i;
        for (i = params->first; i < params->end; i++)
                if (stands_at(params, i, key, name, name_size))
                        break;
        return i;
}

int params_set(Params *params, const char *name, size_t name_size, const char *value, size_t value_size)
{
        size_t i, room = PARAMS_SIZE_MAX - params->size;
        Param item;
        char *p;

        if (params->n_set >= PARAMS_COUNT_MAX || name_size >= room || value_size >= room - name_size - 1)
                return -E2BIG;

        i = params_find(params, name, name_size);
        p = params_allocate(params, value_size + 1 + (i == params->end ? name_size + 1 : 0));
        if (!p)
                return -ENOMEM;

        item = (Param) {
                .name = i < params->end ? params->items[i].name : p,
                .name_size = (uint32_t) name_size,
                .value_size = (uint32_t) value_size,
        };
        if (i == params->end) {
                p = put(p, name, name_size);
                params->keys[i] = name_key(name, name_size);
                params->hints[key_hash(params->keys[i])] = (uint16_t) i;
                params->end++;
        }
        item.value = p;
        (void) put(p, value, value_size);
        params->items[i] = item;
        params->n_set++;
        params->size += name_size + value_size + 2;
        return 0;
}

/* Moves n items and their keys by so many places. */
static void move_items(Params *params, size_t to, size_t from, size_t n)
{
        assert(to + n <= ELEMENTSOF(params->items) && from + n <= ELEMENTSOF(params->items));

        memmove(&params->keys[to], &params->keys[from], n * sizeof params->keys[0]);
        memmove(&params->items[to], &params->items[from], n * sizeof params->items[0]);
}

int params_set_first(Params *params, const char *name, size_t name_size, const char *value,
                     size_t value_size)
{
        size_t i = params_find(params, name, name_size), first = params->first;
        uint32_t key;
        Param item;
        int r;

        if (i == params->end) {
                r = params_set(params, name, name_size, value, value_size);
                if (r < 0)
                        return r;
        }

        key = params->keys[i];
        item = params->items[i];
        if (first > 0 && i == params->end - 1) {
                params->end--;
                first = --params->first;
        } else
                move_items(params, first + 1, first, i - first);
        params->keys[first] = key;
        params->items[first] = item;
        return 0;
}

void params_unset(Params *params, const char *name)
{
        size_t i;

        i = params_find(params, name, strlen(name));
        if (i == params->end)
                return;

        params->end--;
        move_items(params, i, i + 1, params->end - i);
        if (params->end == params->first)
                params->end = params->first = 1; /* nothing is set at 0, which in hints[] is none */
}

const char *params_get(const Params *params, const char *name, size_t *ret_size)
{
        size_t i;

        i = params_find(params, name, strlen(name));
        if (i == params->end)
                return NULL;

        if (ret_size)
                *ret_size = params->items[i].value_size;
        return params->items[i].value;
}

size_t params_count(const Params *params)
{
        return params->end - params->first;
}

const Param *params_at(const Params *params, size_t i)
{
        assert(i < params_count(params));

        return &params->items[params->first + i];
}
