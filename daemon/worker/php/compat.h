/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What differs between the versions of PHP that php-pool is built with: every #if on PHP_VERSION_ID of the
 * project. Included behind PHP's headers.
 *
 *   8.3  Of a path that Apache's proxy sends, PHP-FPM decodes PATH_INFO; zend_max_execution_timer_init().
 *   8.4  flush() sends the head.
 *   8.5  php_child_init(), which does that; no disable_classes; fastcgi.script_path_encoded, by which
 *        PHP-FPM decodes all of that path; no cgi.force_redirect, no cgi.redirect_status_env:
 *        they had no meaning.
 *   8.6  PG(doc_root) is a zend_string.
 */

#include <SAPI.h>
#include <php.h>
#include <zend_max_execution_timer.h>

#include "worker/request/script.h"

#if PHP_VERSION_ID >= 80500
#include <php_main.h>
#endif

/*
 * The settings of PHP-FPM that not every version has, for PHP_INI_BEGIN(). Those before 8.5 are without a
 * meaning, there and here, but installers of applications look at them.
 */
#if PHP_VERSION_ID >= 80500
#define COMPAT_SETTINGS                                                                                     \
        STD_PHP_INI_BOOLEAN("fastcgi.script_path_encoded", "1", PHP_INI_SYSTEM, OnUpdateBool,               \
                            settings.script_path_encoded, PhpProcess, php_process)
#else
#define COMPAT_SETTINGS                                                                                     \
        PHP_INI_ENTRY_EX("cgi.force_redirect", "1", PHP_INI_SYSTEM, NULL, zend_ini_boolean_displayer_cb)    \
        PHP_INI_ENTRY("cgi.redirect_status_env", NULL, PHP_INI_SYSTEM, NULL)
#endif

/* Lines of ini-request.def for settings that not every version has. */
#if PHP_VERSION_ID >= 80500
#define COMPAT_POOL_ONLY
#else
#define COMPAT_POOL_ONLY POOL_ONLY("disable_classes", "a class that is disabled stays so")
#endif

/* What PHP-FPM of this version decodes; script_path_encoded is the setting of that name. */
static inline ProxyDecoding compat_proxy_decoding(bool script_path_encoded)
{
#if PHP_VERSION_ID >= 80500
        return script_path_encoded ? PROXY_DECODES_INFO : PROXY_DECODES_WHOLE;
#elif PHP_VERSION_ID >= 80300
        (void) script_path_encoded;
        return PROXY_DECODES_INFO;
#else
        (void) script_path_encoded;
        return PROXY_DECODES_NAME;
#endif
}

/* flush() before any output: the head of the answer goes, where PHP-FPM of this version sends it. */
static inline void compat_flush_head(void)
{
#if PHP_VERSION_ID >= 80400
        (void) sapi_send_headers();
#endif
}

/* For a process that was forked from one in which PHP had started. */
static inline void compat_child_init(void)
{
#if PHP_VERSION_ID >= 80500
        php_child_init();
#elif PHP_VERSION_ID >= 80300
        zend_max_execution_timer_init();
#endif
}

/* Disables classes for good, as disable_classes does; changes the names, with " " or "," between. */
static inline void compat_disable_classes(char *names)
{
#if PHP_VERSION_ID >= 80500
        (void) names;
#else
        char *save = NULL;

        PG(disable_classes) = names;
        for (char *name = strtok_r(names, " ,", &save); name; name = strtok_r(NULL, " ,", &save))
                (void) zend_disable_class(name, strlen(name));
#endif
}

/* NULL for none. */
static inline const char *compat_doc_root(void)
{
#if PHP_VERSION_ID >= 80600
        return PG(doc_root) ? ZSTR_VAL(PG(doc_root)) : NULL;
#else
        return PG(doc_root);
#endif
}
