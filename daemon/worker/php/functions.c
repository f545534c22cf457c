/* SPDX-License-Identifier: MIT */

/*
 * Module "cgi-fcgi": the functions and ini settings that PHP-FPM gives to applications, under the name by
 * which they look for them (extension_loaded("cgi-fcgi")). Runs inside PHP; nothing here may be called from
 * elsewhere.
 */

#include "worker/php/internal.h"

#include <ext/json/php_json.h>
#include <ext/standard/head.h>
#include <ext/standard/info.h>

#include "worker/php/compat.h"
#include "worker/request/built-in.h"

/* Ends the answer; the script goes on without a client. */
static ZEND_FUNCTION(fastcgi_finish_request)
{
        PhpRequest *r = php_request();

        ZEND_PARSE_PARAMETERS_NONE();

        if (!r || request_answered(r->request))
                RETURN_FALSE;
        php_output_end_all();
        php_header();
        if (request_finish(r->request) >= 0)
                request_release(r->request);
        RETURN_TRUE;
}

static void add_request_header(const Param *param, zval *array)
{
        sapi_add_request_header(param->name, param->name_size, (char *) param->value, param->value_size,
                                array);
}

static ZEND_FUNCTION(apache_request_headers)
{
        PhpRequest *r = php_request();

        ZEND_PARSE_PARAMETERS_NONE();

        array_init(return_value);
        if (r)
                sapi_each_param(r->request->params, add_request_header, return_value);
}

/*
 * JSON as an array. False where it is none, or where PHP jumped out of it (CG(unclean_shutdown)), which the
 * caller is to go on with.
 */
static bool decode(const char *json, size_t size, zval *ret)
{
        volatile bool decoded = false;

        zend_try {
                decoded = php_json_decode_ex(ret, json, size, PHP_JSON_OBJECT_AS_ARRAY,
                                             PHP_JSON_PARSER_DEFAULT_DEPTH) == SUCCESS;
        }
        zend_end_try();
        return decoded;
}

/* The manager's to tell; false is what FPM answers where it has no scoreboard. */
static ZEND_FUNCTION(fpm_get_status)
{
        bool decoded;
        char *json;
        size_t size;

        ZEND_PARSE_PARAMETERS_NONE();

        if (built_in_ask_status(php_process.handoff, DUMP_FUNCTION, /* full= */ true, &json, &size) < 0)
                RETURN_FALSE;
        decoded = decode(json, size, return_value);
        free(json);
        if (!decoded && CG(unclean_shutdown))
                zend_bailout();
        if (!decoded)
                RETURN_FALSE;
}

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_fastcgi_finish_request, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_apache_request_headers, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_MASK_EX(arginfo_fpm_get_status, 0, 0, MAY_BE_ARRAY | MAY_BE_FALSE)
ZEND_END_ARG_INFO()

/* clang-format off */
static const zend_function_entry pool_functions[] = {
        ZEND_FE(fastcgi_finish_request, arginfo_fastcgi_finish_request)
        ZEND_FE(apache_request_headers, arginfo_apache_request_headers)
        ZEND_FALIAS(getallheaders, apache_request_headers, arginfo_apache_request_headers)
        ZEND_FE(fpm_get_status, arginfo_fpm_get_status)
        ZEND_FE_END
};

#define SETTING_BOOL(name, def, access, field)                                                              \
        STD_PHP_INI_BOOLEAN(name, def, access, OnUpdateBool, settings.field, PhpProcess, php_process)

PHP_INI_BEGIN()
        SETTING_BOOL("cgi.rfc2616_headers", "0", PHP_INI_ALL, rfc2616_headers)
        SETTING_BOOL("cgi.nph", "0", PHP_INI_ALL, nph)
        SETTING_BOOL("cgi.fix_pathinfo", "1", PHP_INI_SYSTEM, fix_pathinfo)
        SETTING_BOOL("cgi.discard_path", "0", PHP_INI_SYSTEM, discard_path)
        SETTING_BOOL("fastcgi.logging", "1", PHP_INI_SYSTEM, logging)
        COMPAT_SETTINGS
        STD_PHP_INI_ENTRY("fastcgi.error_header", NULL, PHP_INI_SYSTEM, OnUpdateString,
                          settings.error_header, PhpProcess, php_process)
        PHP_INI_ENTRY("fpm.config", NULL, PHP_INI_SYSTEM, NULL)
PHP_INI_END()
/* clang-format on */

static PHP_MINIT_FUNCTION(pool)
{
        ini_init();
        REGISTER_INI_ENTRIES();
        sleep_wrap_functions();
        refusal_watch();
        ini_wrap_functions();
        return SUCCESS;
}

static PHP_MSHUTDOWN_FUNCTION(pool)
{
        UNREGISTER_INI_ENTRIES();
        ini_done();
        return SUCCESS;
}

/* The script is over: PHP would read a body to its end now, which is the transport's to decide. */
static int on_post_deactivate(void)
{
        if (php_request())
                php_request()->body_ended = true;
        return SUCCESS;
}

static PHP_MINFO_FUNCTION(pool)
{
        php_info_print_table_start();
        php_info_print_table_row(2, "php-pool", "active");
        php_info_print_table_end();
        DISPLAY_INI_ENTRIES();
}

zend_module_entry pool_module_entry = {
        STANDARD_MODULE_HEADER,
        "cgi-fcgi",
        pool_functions,
        PHP_MINIT(pool),
        PHP_MSHUTDOWN(pool),
        NULL,
        NULL,
        PHP_MINFO(pool),
        PHP_VERSION,
        NO_MODULE_GLOBALS,
        on_post_deactivate,
        STANDARD_MODULE_PROPERTIES_EX,
};
