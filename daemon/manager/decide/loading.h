/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A worker that the dynamic linker could not load: it has ended before its main(), with words of ld.so(8) on
 * standard error and EXIT_STATUS_NOT_EXECUTED. Pure.
 */

#include "base/util.h"

/*
 * What these words of a worker for this PHP mean, as a sentence with what to do, a new string. 1 and *ret; 0
 * where they are no such words; or -ENOMEM.
 */
int loading_explain(const char *version, const char *words, char **ret);
