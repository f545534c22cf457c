/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the files behind php.h share. It includes PHP's headers, so nobody else includes it. Everything that
 * calls into PHP can leave by longjmp(3) (zend_bailout()): who does so owns nothing that a cleanup would
 * have to free.
 */

#include "worker/php/php.h"
#include "worker/php/process.h"
#include "worker/request/script.h"

#include <limits.h>
#include <signal.h>

#include <SAPI.h>
#include <php.h>
#include <php_ini.h>
#include <php_main.h>
#include <php_output.h>
#include <php_variables.h>
#include <zend_stream.h>

/* PHP's memory has padding behind a string that its scanners read. */
#define SCANNER_PADDING ZEND_MMAP_AHEAD

/*
 * Whether the library that is loaded is of the PHP that this was built for, and that of the version which is
 * wanted, "" for any (engine.c). Before anything else of it is called. 0, or -ELIBBAD with a sentence in
 * *ret_why.
 */
int engine_check(const char *wanted, const char **ret_why);

/* A request while PHP has it; SG(server_context) points to it. */
typedef struct PhpRequest {
        Request *request;
        Script script;
        int body_fd;        /* the file that REQUEST_BODY_FILE names, -EBADF for none */
        bool body_opened;   /* REQUEST_BODY_FILE was looked for */
        bool body_unsized;  /* no CONTENT_LENGTH: the body ends where the transport says */
        bool body_ended;    /* nobody wants more of it */
        bool client_gone;   /* reading the body failed */
        bool error_written; /* something stands in the web server's error log already */
        PhpOutcome outcome;
} PhpRequest;

/* The request that is being served, or NULL: also during module start-up and in a preload script. */
static inline PhpRequest *php_request(void)
{
        return SG(server_context);
}

/* sapi.c: the module by which PHP reaches us. */
extern sapi_module_struct pool_sapi_module;

/* Lets $_ENV and getenv() show the request's parameters. Once, after php_module_startup(). */
void sapi_hook_environment(void);

/* Calls back for each parameter, in the order in which FPM shows them: the last one first. */
void sapi_each_param(const Params *params, void (*func)(const Param *param, zval *array), zval *array);

/* headers.c: writes status and headers of the answer; sapi_module_struct.send_headers. */
int sapi_write_headers(sapi_headers_struct *headers);

/* Answers, instead of a PHP that cannot, with nothing but a status. */
void sapi_write_status(Request *request, int status);

/*
 * sleep.c: lets no signal to retire cut sleep() and its like short. Once, while modules start: opcache's
 * JIT may build pointers to functions into what it preloads after that.
 */
void sleep_wrap_functions(void);

/*
 * refusals.c: tells the operator, once a generation, when the service's sandbox may have refused a script
 * something. Once, while modules start.
 */
void refusal_watch(void);

/*
 * stderr.c: a request is over; what it wrote to standard error or output ends with it. Costs nothing
 * where it cannot have written anything.
 */
void stderr_end_request(void);

/* interrupt.c: makes php_interrupt() work. Once, after php_module_startup(). */
void limit_hook_interrupt(void);

/*
 * timeout.c: max_execution_time without a system call for each request. timeout_start() comes first in
 * each worker, 0 or -errno. Before PHP starts a request, with its ini values set, timeout_withhold() keeps
 * the limit from PHP, unless there is a body to read; timeout_script_ended() and timeout_end() follow before
 * and after PHP shuts the request down.
 */
int timeout_start(void);
void timeout_withhold(bool has_body);
void timeout_script_ended(void);
void timeout_end(void);

/*
 * root.c: resolves security.script_root, once, where it is set. 0, or -errno with a sentence in *ret_why
 * (static storage).
 */
int root_resolve(const char *directory, const char **ret_why);

/* Whether that lets the script run which PHP has opened, or has in its cache. */
bool root_holds(const zend_file_handle *file);

/* functions.c: module "cgi-fcgi". */
extern zend_module_entry pool_module_entry;

/*
 * ini.c: php.value and php.admin_value as text for sapi_module_struct.ini_entries, so that they count from
 * PHP's start on; the caller frees it. 0 or -ENOMEM.
 */
int ini_pool_entries(const Config *config, char **ret);

/*
 * Makes them what each request starts with, and fixes the admin values. After php_module_startup(). False
 * where one is no ini syntax, with php_log_last() saying which; one that PHP does not know is logged and
 * left out.
 */
bool ini_apply_pool_values(const Config *config);

/* Sets what the parameters PHP_VALUE and PHP_ADMIN_VALUE say, for this request. */
void ini_apply_params(PhpRequest *r);

/* Where a value for one request comes from. */
typedef enum IniOrigin {
        INI_VALUE,       /* PHP_VALUE */
        INI_ADMIN_VALUE, /* PHP_ADMIN_VALUE: what it sets, the script cannot */
        INI_SECTION,     /* [PATH=] and [HOST=] of php.ini: the same */
        INI_USER_FILE,   /* .user.ini */
} IniOrigin;

/*
 * ini-set.c: sets a value until the request's end, or logs for the request why not, and leaves all as it
 * was. Of sections and files, what PHP does not know, or keeps from them, is left out in silence, as PHP
 * does it.
 */
void ini_set_for_request(PhpRequest *r, const char *name, zend_string *value, IniOrigin from);

/* The same for all values of such a section or file. */
void ini_set_all_for_request(PhpRequest *r, const HashTable *values, IniOrigin from);

/* Has ini_get_all() say what PHP's does. Once, while modules start. */
void ini_wrap_functions(void);

/* First in each worker; before the first value of a request is set; after PHP has shut the request down. */
void ini_worker_start(void);
void ini_request_begins(void);
void ini_request_ended(void);

/* ini-places.c: sets all that holds for this request only, the parameters' values first. PHP restores it. */
void ini_apply_request(PhpRequest *r);

/*
 * mail.c: has mail() leave the sandbox by php-pool-sendmail(8), where there is one. mail_start() once,
 * when the pool's values are set; mail_apply_request() when a request's are.
 */
void mail_start(void);
void mail_apply_request(void);

void ini_init(void);
void ini_done(void);

/*
 * ini-check.c: true when php.ini and all files beside it are well-formed; else php_log_last() says what is
 * wrong. With PHP_INI_SCAN_DIR in the environment as it was for php_module_startup().
 */
bool ini_check_files(void);

/* log.c: what PHP logs; sapi_module_struct.log_message. */
void php_log_message(const char *message, int level);

/* Learns file and line of each error that PHP reports. From module start-up on. */
void php_log_hook_errors(void);

/* Forgets an error of the request before, which PHP left by longjmp(3). */
void php_log_request_begins(void);

/* Logs about the request as PHP-FPM does: to the journal from LOG_NOTICE up, always to the web server. */
void php_log_request(PhpRequest *r, int level, const char *format, ...) _printf_(3, 4);

/* The last that was logged outside of a request, "" for nothing; static storage. */
const char *php_log_last(void);
