/* SPDX-License-Identifier: MIT */

/*
 * Which PHP this process has loaded. Every libphp has the same SONAME, and a link or a variable of the
 * dynamic linker's may lead to that of another version. Its structures are others, so it must not be
 * started, and nothing of it be called but what says its version.
 */

#include "worker/php/internal.h"

#include <dlfcn.h>
#include <zend_constants.h>

#define BUILT (PHP_MAJOR_VERSION * 100 + PHP_MINOR_VERSION)

/*
 * 804 for PHP 8.4. php_version_id() is there from 8.3 on. Before that nothing says it until PHP has
 * started: 8.2 has this attribute, and earlier ones have not.
 */
static unsigned loaded(void)
{
        unsigned (*version_id)(void) = (unsigned (*)(void)) dlsym(RTLD_DEFAULT, "php_version_id");

        if (version_id)
                return version_id() / 100;
        return dlsym(RTLD_DEFAULT, "zend_ce_sensitive_parameter") ? 802 : 801;
}

/* The file that it comes from, without links. */
static void find_library(char ret[static PATH_MAX])
{
        Dl_info info;

        if (!dladdr(dlsym(RTLD_DEFAULT, "php_module_startup"), &info) || !realpath(info.dli_fname, ret))
                (void) strcpy(ret, "libphp.so");
}

int engine_check(const char *wanted, const char **ret_why)
{
        static char why[2 * PATH_MAX];
        char built[16], library[PATH_MAX];
        unsigned version = loaded();

        (void) snprintf(built, sizeof built, "%d.%d", PHP_MAJOR_VERSION, PHP_MINOR_VERSION);
        *ret_why = why;
        if (*wanted && !streq(wanted, built)) {
                (void) snprintf(why, sizeof why,
                                "php-pool-worker-%s is the worker of PHP %s under another name: install the "
                                "package php%s-pool again, or choose another PHP by php.version.",
                                wanted, built, wanted);
                return -ELIBBAD;
        }
        if (version == BUILT)
                return 0;
        find_library(library);
        (void) snprintf(why, sizeof why,
                        "php-pool-worker-%s was built for PHP %s and has loaded %s, which is PHP %u.%u%s: "
                        "install the packages libphp%s-embed and php%s-pool again, or choose another PHP by "
                        "php.version.",
                        built, built, library, version / 100, version % 100,
                        version < 802 ? " or older" : "", built, built);
        return -ELIBBAD;
}

const char *engine_version(void)
{
        const zval *version = zend_get_constant_str(ZEND_STRL("PHP_VERSION"));

        return version && Z_TYPE_P(version) == IS_STRING ? Z_STRVAL_P(version) : PHP_VERSION;
}
