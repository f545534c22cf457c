/* SPDX-License-Identifier: MIT */
#pragma once

/* cmocka, and what has to stand in front of it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
