/* SPDX-License-Identifier: MIT */

/*
 * What php_value[], php_flag[] and their admin_ sisters of a pool of PHP-FPM are here: lines of php.value
 * and php.admin_value, as PHP reads them from an ini file. See import.h. Pure.
 */

#include "ctl/import.h"

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

/* Whether it is the program of a mail server that has to change its user or group. */
static bool is_sendmail(const char *command)
{
        const char *slash;
        size_t n;

        command += strspn(command, " \"\\");
        n = strcspn(command, " \"\\");
        slash = memrchr(command, '/', n);
        return slash && strncmp(slash + 1, "sendmail", n - (size_t) (slash + 1 - command)) == 0;
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
        if (strcasecmp(entry->key, "sendmail_path") == 0 && is_sendmail(value)) {
                r = import_note(p, entry, true,
                                "imported, but the sandbox keeps the sendmail of Postfix or Exim from its "
                                "queue, "
                                "see SANDBOX in php-pool(7)");
                if (r < 0)
                        return r;
        }
        r = ini_line_format(entry->key, value, &line);
        return r < 0 ? r : import_add_string(p, entry, entry->directive->key, line);
}
