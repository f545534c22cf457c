/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The named parameters of a request: what CGI calls meta-variables (RFC 3875, section 4.1), in the order in
 * which they came. Names and values may hold any byte; each is followed by a zero so that it is also a C
 * string. A name stands once: a later parameter of the same name replaces the value, as in FPM.
 */

#include "base/util.h"

/*
 * Bounds of what a client may send, and so of memory and time: the calls of params_set() since
 * params_clear(), and the bytes of the names and values given to them, each with its zero. Parameters that
 * were replaced or removed since count, too.
 */
#define PARAMS_COUNT_MAX 2048
#define PARAMS_SIZE_MAX (1024U * 1024U)

typedef struct Param {
        const char *name;
        const char *value;
        uint32_t name_size;  /* without the zero */
        uint32_t value_size; /* without the zero */
} Param;

typedef struct Params Params;

/* A new, empty list; the caller frees it. 0 or -ENOMEM. */
int params_new(Params **ret);
void params_free(Params *params);
DEFINE_CLEANUP(Params *, params_free)

/* Empties the list and keeps up to a moderate amount of its memory for the next request. */
void params_clear(Params *params);

/*
 * Adds or replaces a parameter; name and value are copied, and may be strings of this list. A replaced one
 * keeps its place. Strings that params_get() or params_at() gave before stay valid and unchanged until
 * params_clear(). 0, -ENOMEM, or -E2BIG for more than the bounds above; the list is as it was then.
 */
int params_set(Params *params, const char *name, size_t name_size, const char *value, size_t value_size);

/*
 * The same in front of all others. One of this name that is there already moves there and keeps its value.
 */
int params_set_first(Params *params, const char *name, size_t name_size, const char *value,
                     size_t value_size);

/* Removes a parameter if it is there; those behind it move up by one place. */
void params_unset(Params *params, const char *name);

/* The value, or NULL where there is none. *ret_size, if asked for, is its size without the zero. */
const char *params_get(const Params *params, const char *name, size_t *ret_size);

size_t params_count(const Params *params);

/*
 * The parameter at a place from 0 to params_count() - 1. The pointer stays valid until params_clear(); it
 * points to that place: params_set() may change the value, and params_unset() may put another there.
 */
const Param *params_at(const Params *params, size_t i);
