/* SPDX-License-Identifier: MIT */

/*
 * What php_value[], php_flag[] and their admin_ sisters of a pool of PHP-FPM are here: lines of php.value
 * and php.admin_value, as PHP reads them from an ini file. See internal.h. Pure.
 */

#include "ctl/import/internal.h"

/* FPM takes relative paths in these to be behind the prefix. */
static bool is_path_option(const char *name)
{
        static const char *const options[] = { "error_log",
                                               "extension_dir",
                                               "mime_magic.magicfile",
                                               "sendmail_path",
                                               "session.cookie_path",
                                               "session_pgsql.sem_file_name",
                                               "soap.wsdl_cache_dir",
                                               "uploadprogress.file.filename_template",
                                               "xdebug.output_dir",
                                               "xdebug.trace_output_dir" };

        for (size_t i = 0; i < ELEMENTSOF(options); i++)
                if (strcasecmp(options[i], name) == 0)
                        return true;
        return false;
}

int import_ini(ImportPool *p, const FpmEntry *entry)
{
        bool flag = entry->directive->type == FPM_BOOL;
        const char *value = flag && !*entry->value ? "0" : entry->value;
        _cleanup_(freep) char *line = NULL, *path = NULL;
        int r;

        if (entry->key[strcspn(entry->key, "=;\"'&|^$~(){}![] \t")])
                return import_note(p, entry, true, "not imported: PHP has no setting of such a name");
        if (is_path_option(entry->key) && *value && *value != '/' && strcasecmp(value, "syslog") != 0 &&
            !fpm_section_find(p->section, "chroot")) {
                r = import_path(p, value, &path);
                if (r < 0)
                        return r;
                value = path;
        }
        r = ini_line_format(entry->key, value, &line);
        return r < 0 ? r : import_add_string(p, entry, entry->directive->key, line);
}
