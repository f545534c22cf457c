/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What PHP's callbacks know of the process, which they have no argument for. For the files of this folder:
 * it includes PHP's headers.
 */

#include "config/config.h"

#include <limits.h>
#include <signal.h>

#include <php.h>

/* The ini settings of module cgi-fcgi: PHP writes them (functions.c). */
typedef struct PhpSettings {
        bool fix_pathinfo;
        bool discard_path;
        bool script_path_encoded; /* false where PHP does not know it */
        bool nph;
        bool rfc2616_headers;
        bool logging;       /* what PHP logs goes to the web server, too */
        char *error_header; /* NULL for none */
} PhpSettings;

/* What lives as long as the process. */
typedef struct PhpProcess {
        const Config *config;
        int handoff; /* to the manager, borrowed; -EBADF for none */
        char directory[PATH_MAX]; /* where no script runs; "" where it has no name */
        PhpSettings settings;
        char script_root[PATH_MAX]; /* security.script_root without links; "" for none */
        HashTable user_ini;       /* directory -> UserIni, see ini-places.c */
        volatile sig_atomic_t interrupted; /* php_interrupt() was called for the current request */
        zend_ini_entry *mail;              /* sendmail_path where mail.c looks after it, or NULL */
        bool ini_params_reported; /* refused PHP_VALUE parameters are logged once */
        zend_long *realpath_limit;     /* the size of PHP's realpath cache, in a worker */
        zend_long realpath_limit_kept; /* between ini_request_begins() and ini_request_ended() */
} PhpProcess;

extern PhpProcess php_process;
