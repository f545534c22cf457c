/* SPDX-License-Identifier: MIT */

/* Which PHP a PHP-FPM is of: see fpm-version.h. */

#include "ctl/import/fpm-version.h"

const char *fpm_file_version(const char *file, size_t *ret_n)
{
        const char *version = startswith(file, IMPORT_PHP_DIR);
        size_t n = version ? strcspn(version, "/") : 0;

        if (!version || !startswith(version + n, IMPORT_FPM_DIR))
                return NULL;
        *ret_n = n;
        return version;
}

const char *fpm_unit_version(const UnitFile *unit, size_t *ret_n)
{
        const char *version = unit && unit->found ? startswith(unit->name, "php") : NULL;

        *ret_n = version ? strspn(version, "0123456789.") : 0;
        return *ret_n > 0 && streq(version + *ret_n, "-fpm.service") ? version : NULL;
}
