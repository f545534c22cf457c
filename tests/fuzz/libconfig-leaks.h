/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * libconfig leaks where it meets a syntax error, which is none of ours: LeakSanitizer asks the program for
 * these (its documentation, "Suppressions"). For the one source file of a fuzzer.
 */

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
        return "leak:libconfig_yy\nleak:libconfig.so\n";
}

const char *__lsan_default_options(void)
{
        return "print_suppressions=0";
}
