/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * PHP, as the rest of the worker sees it: started once in the template, then serving one request at a time
 * in each worker. Only the files in this folder include PHP's headers; their own is internal.h.
 */

#include "config/config.h"
#include "worker/request/request.h"

/*
 * Starts PHP: ini files, extensions, opcache, preload (php_module_startup()). Called once, in the template;
 * config is borrowed for as long as the process lives. From here on log_record() takes LOG_NOTICE and above:
 * what PHP logs is not filtered by log_level. 0, or -errno with a sentence in *ret_why (static storage),
 * best PHP's own last error; an ini file that is malformed is such an error, and so is a library of another
 * PHP than this worker was built for, which is not started.
 */
int php_start(const Config *config, const char **ret_why);

/*
 * What PHP could not load while it started, and started without: an extension. "" for nothing; static
 * storage.
 */
const char *php_start_complaint(void);

/* "8.2.36": of the library that is loaded. Once PHP has started. */
const char *engine_version(void);

/*
 * Called first in each forked worker. handoff is the socket to the manager, which is asked for the status;
 * borrowed, -EBADF for none. 0 or -errno.
 */
int php_worker_start(int handoff);

/*
 * Where lines of text go: this worker's stream, which standard output and error are, and the unit's, for
 * programs that scripts run; they may be one. Never closed from here on.
 */
void php_set_streams(int worker, int unit);

/* Runs one request to its end, including shutdown functions; finish() has been called when it returns. */
typedef struct PhpOutcome {
        int status;     /* HTTP status code of the answer */
        size_t memory;  /* peak of memory_get_peak_usage(true), bytes */
        bool failed;    /* the script ended by an error, or by exit(255): PHP makes no difference */
        bool must_exit; /* PHP can serve no more in this process */
} PhpOutcome;
PhpOutcome php_serve(Request *request);

/*
 * Has PHP end the script that runs, as soon as it can, with a fatal error: the answer's status is 504,
 * unless it is on its way already, and shutdown functions run. Async-signal-safe; nothing where no script
 * runs.
 */
void php_interrupt(void);

/*
 * Ends PHP in a worker that retires (php_module_shutdown()), as PHP-FPM does: extensions take leave of their
 * persistent connections and send what they gathered. It takes some milliseconds. Never after must_exit.
 */
void php_worker_stop(void);
