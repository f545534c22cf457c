/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What differs between the versions of PHP that php-pool is built with: every #if on PHP_VERSION_ID of the
 * project. Included behind PHP's headers.
 *
 *   8.5  php_child_init(), and earlier what it does; no disable_classes.
 *   8.6  PG(doc_root) is a zend_string.
 */

#include <php.h>
#include <zend_max_execution_timer.h>

#if PHP_VERSION_ID >= 80500
#include <php_main.h>
#endif

/* For a process that was forked from one in which PHP had started. */
static inline void compat_child_init(void)
{
#if PHP_VERSION_ID >= 80500
        php_child_init();
#elif PHP_VERSION_ID >= 80300
        zend_max_execution_timer_init();
#endif
}

/* Disables classes for good, as the setting disable_classes does; names with " " or "," between, which it changes. */
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
