/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the verbs of php-poolctl share. Only main.c knows the command line; a verb gets Options and its
 * arguments.
 */

#include "base/time.h"

/* The most parameters that --param adds. */
#define CTL_PARAMS_MAX 256

/* How long a request may take without --timeout. */
#define CTL_REQUEST_TIMEOUT (60 * USEC_PER_SEC)

/* The beginning of the names of pools' units. */
#define CTL_UNIT_PREFIX "php-pool@"

/* Exit statuses. 3 and 4 are those of systemctl status. */
typedef enum CtlExit {
        CTL_SUCCESS = 0,
        CTL_FAILURE = 1,
        CTL_USAGE = 2,
        CTL_NOT_RUNNING = 3,
        CTL_NO_SUCH_POOL = 4,
        CTL_INCOMPLETE = 5, /* import: done, but something has no equivalent */
} CtlExit;

/* The arguments of an option that may be given several times, each NAME=VALUE with a name. */
typedef struct OptionPairs {
        const char *list[CTL_PARAMS_MAX];
        size_t n;
} OptionPairs;

#define OPTION_TYPE_FLAG bool
#define OPTION_TYPE_TEXT const char *
#define OPTION_TYPE_TIME usec_t
#define OPTION_TYPE_PAIRS OptionPairs

/* The options of options.def as the command line gave them. Strings point into the command line. */
typedef struct Options {
#define OPTION(kind, field, ...) OPTION_TYPE_##kind field;
#include "ctl/options.def"
} Options;

/* A verb: args[0] to args[n_args - 1] are its arguments, as many as verbs.def allows. An exit status. */
typedef CtlExit VerbFunction(const Options *options, size_t n_args, char **args);

#define VERB(name, min, max, arguments, help) VerbFunction verb_##name;
#include "ctl/verbs.def"

/*
 * Says what went wrong in a line on standard error, escaped (print.c), and returns CTL_FAILURE, so that it
 * can stand behind return. %m is error's text. Where standard error is the journal (ExecReload= and so on),
 * it is a record of priority err.
 */
CtlExit ctl_fail(int error, const char *format, ...) _printf_(2, 3);

/* The same for a pool that does not exist, or cannot exist by its name. Returns CTL_NO_SUCH_POOL. */
CtlExit ctl_fail_no_pool(const char *pool);

/*
 * "www" of "php-pool@www", "php-pool@www.service" or "php-pool@www.socket", within the argument, which may
 * be cut for it; the argument itself where it is no pool's unit.
 */
char *ctl_pool_argument(char *argument);

/* Whether there is a file or a control socket of such a pool. A name that no pool can have has neither. */
bool ctl_pool_exists(const char *pool);

/* The path of the pool's file, a new string. 0 or -ENOMEM. */
int ctl_pool_file(const char *pool, char **ret);

/*
 * The names of the pools that have a file (CONFIG_DIR), sorted; the caller frees the list with
 * ctl_names_free(). No directory is no pool. 0 or -errno.
 */
int ctl_configured_pools(char ***ret_names, size_t *ret_n);

/* In the same way, the names before ".conf" of those files in CONFIG_DIR that no pool can be named by. */
int ctl_misnamed_files(char ***ret_names, size_t *ret_n);

/* The names of the pools that have a control socket, in the same way. */
int ctl_running_pools(char ***ret_names, size_t *ret_n);

void ctl_names_free(char **names, size_t n);
