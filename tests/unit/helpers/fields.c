/* SPDX-License-Identifier: MIT */

#include <inttypes.h>

#include "helpers/fields.h"
#include "helpers/unit.h"

void assert_fields(const char *name, const char *const *fields, const uintmax_t *got,
                   const uintmax_t *expected, size_t n)
{
        size_t n_wrong = 0;

        for (size_t i = 0; i < n; i++)
                if (got[i] != expected[i]) {
                        print_error("%s: %s is %" PRIuMAX ", not %" PRIuMAX "\n", name, fields[i], got[i],
                                    expected[i]);
                        n_wrong++;
                }
        if (n_wrong > 0)
                fail();
}
