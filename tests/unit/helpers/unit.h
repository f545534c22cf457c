/* SPDX-License-Identifier: MIT */
#pragma once

/* cmocka, and what has to stand in front of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* cmocka's assert_in_range() has other names from its version 2 on. */
static inline void assert_between(uintmax_t value, uintmax_t least, uintmax_t most)
{
        if (value < least || value > most)
                fail_msg("%ju is not between %ju and %ju", value, least, most);
}
