/* SPDX-License-Identifier: MIT */
#pragma once

/* Settings as text for people, as it would stand in a pool file. */

#include <stdio.h>

#include "config/settings.h"

/* Writes every setting as "key = value;", in the order of settings.def. */
void config_dump(const Config *config, FILE *f);

/* Writes what the value has to be: "a whole number from 1 to 4096", without full stop. */
void setting_describe(const Setting *s, FILE *f);

/* Writes what an element of a list has to be. */
void setting_describe_element(const Setting *s, FILE *f);

/* Writes the value as in the pool file. */
void setting_write(const Setting *s, const Config *config, FILE *f);

/*
 * Writes a string in quotes as in the pool file, on one line; no more than about max bytes of it, and then
 * "…".
 */
void quote_write(const char *string, size_t max, FILE *f);
