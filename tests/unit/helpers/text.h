/* SPDX-License-Identifier: MIT */
#pragma once

/* Strings, and parameters of requests by them. */

#include "base/params.h"

/* Fails unless the part stands in the text; or if it does. */
void assert_has(const char *text, const char *part);
void assert_has_not(const char *text, const char *part);

/* Frees what the pointer has, and gives it a copy of the value. */
void set_string(char **to, const char *value);

/* Sets a parameter; the value is a string. */
void set_param(Params *params, const char *name, const char *value);

/* Sets a parameter by "NAME=value", or removes it by "!NAME". */
void set_variable(Params *params, const char *variable);
