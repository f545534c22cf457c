/* SPDX-License-Identifier: MIT */
#pragma once

/* The small vocabulary that every file speaks: one way out of a function, ownership that is visible. */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _noreturn_ __attribute__((noreturn))
#define _fallthrough_ __attribute__((fallthrough))
#define _unused_ __attribute__((unused))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

#define CONCAT_(a, b) a##b
#define CONCAT(a, b) CONCAT_(a, b)

#define CHOOSE_(a, b, op, n)                                                                                \
        ({                                                                                                  \
                __typeof__(a) CONCAT(_a, n) = (a);                                                          \
                __typeof__(b) CONCAT(_b, n) = (b);                                                          \
                CONCAT(_a, n) op CONCAT(_b, n) ? CONCAT(_a, n) : CONCAT(_b, n);                             \
        })

#define MIN(a, b) CHOOSE_(a, b, <, __COUNTER__)
#define MAX(a, b) CHOOSE_(a, b, >, __COUNTER__)

/* Hands the value on and forgets it, so that a _cleanup_ variable does not free it. */
#define TAKE_GENERIC(var, null)                                                                             \
        ({                                                                                                  \
                __typeof__(var) *_pvar = &(var);                                                            \
                __typeof__(var) _value = *_pvar;                                                            \
                *_pvar = (null);                                                                            \
                _value;                                                                                     \
        })
#define TAKE_PTR(ptr) TAKE_GENERIC(ptr, NULL)
#define TAKE_FD(fd) TAKE_GENERIC(fd, -EBADF)

/* Defines func##p() for use with _cleanup_() on a variable of a pointer type. */
#define DEFINE_CLEANUP(type, func)                                                                          \
        static inline void func##p(type *p)                                                                 \
        {                                                                                                   \
                if (*p)                                                                                     \
                        func(*p);                                                                           \
        }

static inline void freep(void *p)
{
        free(*(void **) p);
}

static inline bool streq(const char *a, const char *b)
{
        return strcmp(a, b) == 0;
}

/* Returns s behind the prefix, or NULL where s does not start with it. */
static inline const char *startswith(const char *s, const char *prefix)
{
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}
