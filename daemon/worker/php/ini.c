/* SPDX-License-Identifier: MIT */

/*
 * PHP's ini settings from other places than php.ini. php.value and php.admin_value of the pool count from
 * PHP's start on and are what every request starts with. What a request brings (PHP_VALUE and
 * PHP_ADMIN_VALUE parameters, the [HOST=] and [PATH=] sections of php.ini, .user.ini files: ini-places.c) is
 * set before php_request_startup(), so that it counts for reading the body, too, by ini-set.c: nothing
 * sticks to the worker.
 */

#include "worker/php/internal.h"

#include <stdio.h>
#include <zend_ini_scanner.h>

#include "base/log.h"
#include "worker/php/compat.h"

/* What the parser of "name=value" lines is to do with each. */
typedef struct IniTarget {
        PhpRequest *request; /* NULL: for the pool */
        IniOrigin origin;    /* INI_VALUE or INI_ADMIN_VALUE */
} IniTarget;

static bool is_disabling(const char *name)
{
        return streq(name, "disable_functions") || streq(name, "disable_classes");
}

static bool is_loading(const char *name)
{
        return strcasecmp(name, "extension") == 0 || strcasecmp(name, "zend_extension") == 0;
}

/* Whether the line "name=value" has one of the names of is_disabling(). */
static bool line_is_disabling(const char *line)
{
        char name[32];
        size_t n;

        line += strspn(line, " \t");
        n = strcspn(line, " \t=");
        if (n >= sizeof name)
                return false;
        memcpy(name, line, n);
        name[n] = 0;
        return is_disabling(name);
}

/* Appends the lines to f, but for those that would replace php.ini's value where they are to add to it. */
static void write_entries(FILE *f, char *const *lines)
{
        for (; *lines; lines++)
                if (!line_is_disabling(*lines))
                        fprintf(f, "%s\n", *lines);
}

int ini_pool_entries(const Config *config, char **ret)
{
        static const char padding[SCANNER_PADDING];
        char *entries = NULL;
        size_t size;
        FILE *f;

        f = open_memstream(&entries, &size);
        if (!f)
                return -ENOMEM;
        write_entries(f, config->php_value);
        write_entries(f, config->php_admin_value);
        (void) fwrite(padding, 1, sizeof padding, f);
        if (fclose(f) != 0) {
                free(entries);
                return -ENOMEM;
        }
        *ret = entries;
        return 0;
}

/* Sets what PHP goes back to after each request. PHP may keep pointers to the old value: it is not freed. */
static bool set_for_pool(zend_ini_entry *entry, zend_string *value, IniOrigin origin)
{
        zend_string *copy;

        if (!entry->value || !zend_string_equals(entry->value, value)) {
                copy = zend_string_init(ZSTR_VAL(value), ZSTR_LEN(value), true);
                if (entry->on_modify &&
                    entry->on_modify(entry, copy, entry->mh_arg1, entry->mh_arg2, entry->mh_arg3,
                                     ZEND_INI_STAGE_ACTIVATE) != SUCCESS) {
                        zend_string_release(copy);
                        return false;
                }
                entry->value = copy;
        }
        if (origin == INI_ADMIN_VALUE)
                entry->modifiable = ZEND_INI_SYSTEM;
        return true;
}

static void apply_to_pool(const char *name, zend_string *value, IniOrigin origin)
{
        const char *what = origin == INI_ADMIN_VALUE ? "admin_value" : "value";
        zend_ini_entry *entry;

        if (is_loading(name))
                return;

        entry = zend_hash_str_find_ptr(EG(ini_directives), name, strlen(name));
        if (!entry) {
                (void) log_warning("PHP has no setting %s, which php.%s sets, ignoring.", name, what);
                return;
        }
        if (!set_for_pool(entry, value, origin)) {
                (void) log_warning("PHP refuses the value '%s' for %s in php.%s, ignoring.", ZSTR_VAL(value),
                                   name, what);
                return;
        }
        if (streq(name, "disable_functions"))
                zend_disable_functions(ZSTR_VAL(entry->value));
        else if (streq(name, "disable_classes") && ZSTR_LEN(value) > 0)
                compat_disable_classes(strdup(ZSTR_VAL(value)));
}

static void on_line(zval *name, zval *value, zval *offset, int type, void *arg)
{
        static const char prefix[] = "Passing INI directive through FastCGI: ";
        IniTarget *target = arg;

        (void) offset;
        if (!name)
                return;
        if (!target->request) {
                if (type == ZEND_INI_PARSER_ENTRY && value)
                        apply_to_pool(Z_STRVAL_P(name), Z_STR_P(value), target->origin);
                return;
        }

        if (type != ZEND_INI_PARSER_ENTRY)
                php_log_request(target->request, LOG_ERR, "%sonly classic entries are allowed", prefix);
        else if (Z_STRLEN_P(name) == 0)
                php_log_request(target->request, LOG_ERR, "%sempty key", prefix);
        else if (!value)
                php_log_request(target->request, LOG_ERR, "%sempty value for key '%s'", prefix,
                                Z_STRVAL_P(name));
        else
                ini_set_for_request(target->request, Z_STRVAL_P(name), Z_STR_P(value), target->origin);
}

/*
 * Reads "name=value" lines; false for what is no ini syntax, which is reported: for a request on standard
 * error only, as PHP cannot write to the client yet.
 */
static bool parse_lines(const char *text, IniTarget *target)
{
        size_t size = strlen(text);
        char *copy = emalloc(size + 1 + SCANNER_PADDING);
        int r;

        memcpy(copy, text, size);
        copy[size] = '\n';
        memset(copy + size + 1, 0, SCANNER_PADDING);
        r = zend_parse_ini_string(copy, target->request != NULL, ZEND_INI_SCANNER_NORMAL, on_line, target);
        efree(copy);
        return r == SUCCESS;
}

static bool parse_pool_lines(char *const *lines, const char *setting, IniOrigin origin)
{
        IniTarget target = { .origin = origin };

        for (; *lines; lines++)
                if (!parse_lines(*lines, &target)) {
                        zend_error(E_WARNING, "The line \"%s\" of %s is no ini syntax", *lines, setting);
                        return false;
                }
        return true;
}

bool ini_apply_pool_values(const Config *config)
{
        return parse_pool_lines(config->php_value, "php.value", INI_VALUE) &&
               parse_pool_lines(config->php_admin_value, "php.admin_value", INI_ADMIN_VALUE);
}

/* Whether this client may set ini values: security.ini_params. */
static bool params_allowed(const PhpRequest *r)
{
        IniParams from = php_process.config->security_ini_params;

        return from == INI_PARAMS_ALWAYS || (from == INI_PARAMS_UNIX && r->request->unix_socket);
}

void ini_apply_params(PhpRequest *r)
{
        const char *user = params_get(r->request->params, "PHP_VALUE", NULL);
        const char *admin = params_get(r->request->params, "PHP_ADMIN_VALUE", NULL);
        IniTarget target = { .request = r, .origin = INI_VALUE };

        if (!user && !admin)
                return;
        if (!params_allowed(r)) {
                if (!php_process.ini_params_reported)
                        (void) log_warning(
                                "A client sent PHP_VALUE or PHP_ADMIN_VALUE, which security.ini_params "
                                "does not allow, ignoring. This is not logged again.");
                php_process.ini_params_reported = true;
                return;
        }

        if (user)
                (void) parse_lines(user, &target);
        target.origin = INI_ADMIN_VALUE;
        if (admin)
                (void) parse_lines(admin, &target);
}
