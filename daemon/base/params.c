/* SPDX-License-Identifier: MIT */

/*
 * The parameters of a request: see params.h. It is on the path of every request, so what is usual is cheap:
 * some 40 parameters fit one block of memory that is kept from request to request, and a name is found by
 * running over one array of small keys. Strings live in an arena of blocks that never move and are only
 * freed together; a replaced value leaves its old bytes there. The entries stand in arrays of full size, of
 * which only the pages that were used take memory.
 */

#include "base/params.h"

/* The size of an ordinary block, and so of the memory that params_clear() keeps. */
#define BLOCK_SIZE (16U * 1024U)

typedef struct Block Block;

struct Block {
        Block *next;
        size_t size; /* of data[] */
        size_t used;
        char data[];
};

struct Params {
        Block *blocks; /* the first is the one that is being filled */
        size_t n_items;
        size_t n_set; /* calls of params_set() since params_clear() */
        size_t size;  /* bytes given to them, with the zeros */
        uint32_t keys[PARAMS_COUNT_MAX]; /* of the names, by name_key() */
        Param items[PARAMS_COUNT_MAX];
};

int params_new(Params **ret)
{
        Params *params;

        params = malloc(sizeof *params);
        if (!params)
                return -ENOMEM;

        /* The arrays are left alone, or all of their pages would be touched. */
        params->blocks = NULL;
        params->n_items = params->n_set = params->size = 0;
        *ret = params;
        return 0;
}

static void blocks_free(Block *block)
{
        while (block) {
                Block *next = block->next;

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
        Block *keep = params->blocks;

        if (keep) {
                blocks_free(keep->next);
                keep->next = NULL;
                keep->used = 0;
                if (keep->size > BLOCK_SIZE) {
                        free(keep);
                        params->blocks = NULL;
                }
        }
        params->n_items = params->n_set = params->size = 0;
}

/* Room for size bytes. What would fill a block alone gets its own, behind the one that is being filled. */
static char *params_allocate(Params *params, size_t size)
{
        Block *first = params->blocks, *block;
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

/* A copy of the bytes with a zero behind. */
static const char *params_store(Params *params, const char *bytes, size_t size)
{
        char *p;

        p = params_allocate(params, size + 1);
        if (!p)
                return NULL;
        if (size > 0)
                memcpy(p, bytes, size);
        p[size] = 0;
        return p;
}

/* What tells most names apart: the size, and bytes from where HTTP_* and the like differ. */
static uint32_t name_key(const char *name, size_t size)
{
        if (size == 0)
                return 0;

        return (uint32_t) size << 16 | (uint32_t) (uint8_t) name[size / 2] << 8 | (uint8_t) name[size - 1];
}

/* The place of a name, or params_count(). */
static size_t params_find(const Params *params, const char *name, size_t name_size)
{
        uint32_t key = name_key(name, name_size);
        size_t i;

        for (i = 0; i < params->n_items; i++) {
                if (params->keys[i] != key || params->items[i].name_size != name_size)
                        continue;
                if (name_size == 0 || memcmp(params->items[i].name, name, name_size) == 0)
                        break;
        }
        return i;
}

int params_set(Params *params, const char *name, size_t name_size, const char *value, size_t value_size)
{
        const char *stored_name, *stored_value;
        size_t i, room = PARAMS_SIZE_MAX - params->size;

        if (params->n_set >= PARAMS_COUNT_MAX || name_size >= room || value_size >= room - name_size - 1)
                return -E2BIG;

        i = params_find(params, name, name_size);
        stored_name = i < params->n_items ? params->items[i].name : params_store(params, name, name_size);
        stored_value = params_store(params, value, value_size);
        if (!stored_name || !stored_value)
                return -ENOMEM;

        params->items[i] = (Param) {
                .name = stored_name,
                .value = stored_value,
                .name_size = (uint32_t) name_size,
                .value_size = (uint32_t) value_size,
        };
        params->keys[i] = name_key(name, name_size);
        if (i == params->n_items)
                params->n_items++;
        params->n_set++;
        params->size += name_size + value_size + 2;
        return 0;
}

int params_set_first(Params *params, const char *name, size_t name_size, const char *value,
                     size_t value_size)
{
        size_t i = params_find(params, name, name_size);
        uint32_t key;
        Param item;
        int r;

        if (i == params->n_items) {
                r = params_set(params, name, name_size, value, value_size);
                if (r < 0)
                        return r;
        }

        key = params->keys[i];
        item = params->items[i];
        memmove(&params->keys[1], &params->keys[0], i * sizeof params->keys[0]);
        memmove(&params->items[1], &params->items[0], i * sizeof params->items[0]);
        params->keys[0] = key;
        params->items[0] = item;
        return 0;
}

void params_unset(Params *params, const char *name)
{
        size_t i;

        i = params_find(params, name, strlen(name));
        if (i == params->n_items)
                return;

        params->n_items--;
        memmove(&params->keys[i], &params->keys[i + 1], (params->n_items - i) * sizeof params->keys[0]);
        memmove(&params->items[i], &params->items[i + 1], (params->n_items - i) * sizeof params->items[0]);
}

const char *params_get(const Params *params, const char *name, size_t *ret_size)
{
        size_t i;

        i = params_find(params, name, strlen(name));
        if (i == params->n_items)
                return NULL;

        if (ret_size)
                *ret_size = params->items[i].value_size;
        return params->items[i].value;
}

size_t params_count(const Params *params)
{
        return params->n_items;
}

const Param *params_at(const Params *params, size_t i)
{
        assert(i < params->n_items);

        return &params->items[i];
}
