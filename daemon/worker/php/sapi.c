/* SPDX-License-Identifier: MIT */

/*
 * The SAPI module "fpm-fcgi": the callbacks by which PHP writes output, reads a body, and asks for
 * variables. Each works on the request in SG(server_context), which is NULL during module start-up. opcache
 * and applications key on the name. Where the client is gone, php_handle_aborted_connection() ends the
 * script unless ignore_user_abort is set; it does not return then.
 */

#include "worker/php/internal.h"

#include <fcntl.h>
#include <unistd.h>

#include "worker/php/compat.h"

/* The environment as PHP has it, without the request's parameters. */
static void (*import_unit_environment)(zval *array);

static size_t on_write(const char *bytes, size_t size)
{
        PhpRequest *r = php_request();

        if (!r)
                return size;
        /* After fastcgi_finish_request() it goes nowhere, and the script goes on. */
        if (request_write(r->request, bytes, size) < 0) {
                php_handle_aborted_connection();
                return 0;
        }
        return size;
}

static void on_flush(void *context)
{
        PhpRequest *r = context;

        if (!r || request_answered(r->request))
                return;
        compat_flush_head();
        if (request_flush(r->request) < 0)
                php_handle_aborted_connection();
}

/* A body may come in a file that the web server has written (nginx: fastcgi_pass_request_body off). */
static bool body_file_failed(PhpRequest *r)
{
        const char *path;

        if (r->body_opened)
                return false;
        r->body_opened = true;

        path = params_get(r->request->params, "REQUEST_BODY_FILE", NULL);
        if (!path || !*path)
                return false;
        r->body_fd = open(path, O_RDONLY | O_CLOEXEC);
        if (r->body_fd >= 0)
                return false;

        r->body_ended = true;
        zend_error(E_WARNING, "REQUEST_BODY_FILE: open('%s') failed: %s (%d)", path, strerror(errno), errno);
        return true;
}

static ssize_t read_body(PhpRequest *r, char *buffer, size_t size)
{
        ssize_t n;

        if (r->body_fd < 0)
                return request_read_body(r->request, buffer, size);
        do
                n = read(r->body_fd, buffer, size);
        while (n < 0 && errno == EINTR);
        return n < 0 ? 0 : n;
}

/* PHP takes an answer of less than it asked for as the end of the body, so it gets all that is there. */
static size_t on_read_post(char *buffer, size_t size)
{
        PhpRequest *r = php_request();
        size_t n = 0;

        if (!r || r->body_ended || request_answered(r->request) || body_file_failed(r))
                return 0;
        if (!r->body_unsized) {
                size_t left = (size_t) (SG(request_info).content_length - SG(read_post_bytes));

                size = MIN(size, left);
        }

        while (n < size && !r->body_ended) {
                ssize_t k;

                k = read_body(r, buffer + n, size - n);
                if (k > 0)
                        n += (size_t) k;
                else
                        r->body_ended = true;
                if (k < 0)
                        r->client_gone = true;
        }

        /* During start-up and shutdown it is left to php_serve(). */
        if (r->client_gone && !PG(during_request_startup) && !(EG(flags) & EG_FLAGS_IN_SHUTDOWN))
                php_handle_aborted_connection();
        return n;
}

static char *on_read_cookies(void)
{
        PhpRequest *r = php_request();

        return r ? (char *) params_get(r->request->params, "HTTP_COOKIE", NULL) : NULL;
}

/* libphp keeps HTTP_PROXY from getenv() before it asks here (CVE-2016-5385). */
static char *on_getenv(const char *name, size_t size)
{
        PhpRequest *r = php_request();

        (void) size;
        return r ? (char *) params_get(r->request->params, name, NULL) : getenv(name);
}

void sapi_each_param(const Params *params, void (*func)(const Param *param, zval *array), zval *array)
{
        for (size_t i = params_count(params); i > 0; i--)
                func(params_at(params, i - 1), array);
}

/* Puts a variable into $_SERVER or $_ENV by way of the filter extension, which may do it itself. */
static void register_filtered(const char *name, const char *value, zval *array)
{
        bool env = Z_TYPE(PG(http_globals)[TRACK_VARS_ENV]) == IS_ARRAY &&
                   Z_ARR_P(array) == Z_ARR(PG(http_globals)[TRACK_VARS_ENV]);
        size_t size = strlen(value);
        char *v = (char *) value;

        if (sapi_module.input_filter((env ? PARSE_ENV : PARSE_SERVER), name, &v, size, &size))
                php_register_variable_safe(name, v, size, array);
}

static void register_param(const Param *param, zval *array)
{
        register_filtered(param->name, param->value, array);
}

static void register_unfiltered(const Param *param, zval *array)
{
        if (strcasecmp(param->name, "HTTP_PROXY") != 0)
                php_register_variable_safe(param->name, param->value, param->value_size, array);
}

/* Replaces the array by a copy of another that holds the same already. */
static bool copy_variables(zval *array, const zval *other)
{
        if (Z_TYPE_P(other) != IS_ARRAY || Z_ARR_P(other) == Z_ARR_P(array) ||
            zend_hash_num_elements(Z_ARRVAL_P(other)) == 0)
                return false;
        zend_array_destroy(Z_ARR_P(array));
        Z_ARR_P(array) = zend_array_dup(Z_ARR_P(other));
        return true;
}

/* $_SERVER and $_ENV: the unit's environment, and the request's parameters over it. */
static void on_import_environment(zval *array)
{
        PhpRequest *r = php_request();

        if (copy_variables(array, &PG(http_globals)[TRACK_VARS_ENV]) ||
            copy_variables(array, &PG(http_globals)[TRACK_VARS_SERVER]))
                return;
        import_unit_environment(array);
        if (r)
                sapi_each_param(r->request->params, register_param, array);
}

/* getenv() without a name. */
static void on_load_environment(zval *array)
{
        PhpRequest *r = php_request();

        import_unit_environment(array);
        if (r)
                sapi_each_param(r->request->params, register_unfiltered, array);
}

void sapi_hook_environment(void)
{
        import_unit_environment = php_import_environment_variables;
        php_import_environment_variables = on_import_environment;
        php_load_environment_variables = on_load_environment;
}

/* The memory that s is copied to is PHP's, so that it is freed also when a filter leaves by longjmp(3). */
static void register_php_self(const char *name, const char *info, zval *array)
{
        size_t n = strlen(name), m = strlen(info);
        char *s = emalloc(n + m + 1);

        memcpy(s, name, n);
        memcpy(s + n, info, m + 1);
        register_filtered("PHP_SELF", s, array);
        efree(s);
}

static void on_register_variables(zval *array)
{
        PhpRequest *r = php_request();
        const char *name, *info = NULL;

        php_import_environment_variables(array);
        if (!r)
                return;

        name = SG(request_info).request_uri;
        if (php_process.settings.fix_pathinfo)
                info = params_get(r->request->params, "PATH_INFO", NULL);
        register_php_self(name ? name : "", info ? info : "", array);
}

/* The request is over for PHP: what only it knows is kept, and the client may go. */
static int on_deactivate(void)
{
        PhpRequest *r = php_request();

        if (r) {
                r->outcome.status = SG(sapi_headers).http_response_code;
                r->outcome.memory = zend_memory_peak_usage(true);
                (void) request_finish(r->request);
        }
        return SUCCESS;
}

/*
 * PHP asks for defaults of ini settings before it loads extensions: the earliest moment to hear what they
 * say.
 */
static void on_ini_defaults(HashTable *configuration_hash _unused_)
{
        php_log_hook_errors();
}

sapi_module_struct pool_sapi_module = {
        .name = (char *) "fpm-fcgi",
        .pretty_name = (char *) "FPM/FastCGI",
        .shutdown = php_module_shutdown_wrapper,
        .deactivate = on_deactivate,
        .ub_write = on_write,
        .flush = on_flush,
        .getenv = on_getenv,
        .sapi_error = php_error,
        .send_headers = sapi_write_headers,
        .read_post = on_read_post,
        .read_cookies = on_read_cookies,
        .register_server_variables = on_register_variables,
        .log_message = php_log_message,
        .ini_defaults = on_ini_defaults,
        .php_ini_ignore_cwd = 1,
};
