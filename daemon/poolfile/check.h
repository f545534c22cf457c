/* SPDX-License-Identifier: MIT */
#pragma once

/* Rules between settings, once each has been read by itself. */

#include "config/settings.h"
#include "poolfile/errors.h"

/* What the pool file says of a setting. */
typedef struct ConfigOrigin {
        enum {
                ORIGIN_DEFAULT, /* nothing */
                ORIGIN_FILE,    /* the value that Config now has */
                ORIGIN_REFUSED, /* something that is already in the errors */
        } state;
        const char *file; /* the place; the string belongs to the parser */
        unsigned line;
} ConfigOrigin;

/*
 * Fits the defaults to what the file says, so that only values from the file can be wrong, and adds an error
 * for each of those that contradicts another. Settings next to a refused one are left alone. 0 or -ENOMEM.
 */
int config_check(Config *config, const ConfigOrigin origins[static _SETTING_ID_MAX], ConfigErrors *errors);

/*
 * Puts the PHP that a pool with these settings runs into php_version: one of those in the directory of
 * workers. An error where it is not there; name is the pool file's, for where that says nothing of it. 0 or
 * -ENOMEM.
 */
int config_check_php(Config *config, const ConfigOrigin origins[static _SETTING_ID_MAX], const char *name,
                     const char *workers, ConfigErrors *errors);
