/* SPDX-License-Identifier: MIT */

/*
 * Finds PHP-FPM's unit for a configuration, by the place of the file or by the unit's command: see import.h.
 * Reads units' files; asks nobody.
 */

#include "base/text.h"
#include "config/settings.h"
#include "ctl/import/import.h"

/* Below such a directory stands a version, which the unit's name has too: with or without its dot. */
static const struct {
        const char *directory, *before, *behind;
        bool dot;
} places[] = {
        { "/etc/php/", "php", "-fpm.service", true },                  /* Debian */
        { "/etc/opt/remi/php", "php", "-php-fpm.service", false },     /* Remi's, on Fedora and RHEL */
        { "/opt/plesk/php/", "plesk-php", "-fpm.service", false },     /* Plesk */
        { "/opt/cpanel/ea-php", "ea-php", "-php-fpm.service", false }, /* cPanel */
};

/* The name by the file's place; "" for none. */
static int name_by_place(const char *file, char **ret)
{
        for (size_t i = 0; i < ELEMENTSOF(places); i++) {
                const char *version = startswith(file, places[i].directory);
                size_t n = version ? strspn(version, "0123456789.") : 0;
                char digits[16] = "";

                if (n == 0 || n >= sizeof digits || version[n] != '/')
                        continue;
                for (size_t j = 0, k = 0; j < n; j++)
                        if (places[i].dot || version[j] != '.')
                                digits[k++] = version[j];
                return text_format(ret, "%s%s%s", places[i].before, digits, places[i].behind);
        }
        *ret = strdup("");
        return *ret ? 0 : -ENOMEM;
}

/* Whether the unit's command has the file as one of its words, or behind a "=" in one. */
static bool runs_file(const UnitFile *unit, const char *file)
{
        const char *command = unit_file_get(unit, "Service", "ExecStart");
        size_t n = strlen(file);

        for (const char *p = command; (p = strstr(p, file)); p += n)
                if (p > command && strchr(" =\"'\t", p[-1]) && (!p[n] || strchr(" \"'\t", p[n])))
                        return true;
        return false;
}

/* The unit whose command names the file; *ret is NULL for none. */
static int find_by_command(const char *root, const char *file, UnitFile **ret)
{
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        *ret = NULL;
        r = unit_list_services(root, &names);
        for (size_t i = 0; r >= 0 && names[i]; i++) {
                _cleanup_(unit_file_freep) UnitFile *unit = NULL;

                if (!strstr(names[i], "fpm") && !strstr(names[i], "php"))
                        continue;
                r = unit_file_load(root, names[i], &unit);
                if (r >= 0 && runs_file(unit, file)) {
                        *ret = TAKE_PTR(unit);
                        return 0;
                }
        }
        return r;
}

int import_find_unit(const char *root, const char *file, UnitFile **ret)
{
        _cleanup_(freep) char *name = NULL;
        int r;

        r = find_by_command(root, file, ret);
        if (r < 0 || *ret)
                return r;
        r = name_by_place(file, &name);
        if (r < 0)
                return r;
        return unit_file_load(root, *name ? name : "php-fpm.service", ret);
}
