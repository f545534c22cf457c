/* SPDX-License-Identifier: MIT */

/*
 * Sets a php.ini setting for one request, wherever its value comes from, so that nothing of it outlives the
 * request: through PHP's own list of what was changed, with strings of the request's own memory, as PHP
 * frees them when the script changes the setting once more. What PHP does not undo is undone here
 * (ini_request_ended()), or refused (ini-request.def). What is refused, by us or by PHP, is as if it had not
 * been sent, and stands in the request's log.
 */

#include "worker/php/internal.h"

#include "worker/php/compat.h"

/*
 * Joins the access of what a request set. opcache writes the value of an ini_get() into the code that it
 * keeps for all requests, where nobody may change the setting (ZEND_INI_SYSTEM and no more): the value of
 * one request would be everybody's. The bit means nothing to PHP; ini_get_all() would show it.
 */
#define ACCESS_OF_REQUEST (1 << 3)

typedef struct Origin {
        const char *prefix; /* of what is logged */
        int mode;           /* the access that it has */
        int stage;
        bool force; /* it may set what has another access */
        bool file;  /* which may be for another PHP: what this one does not know is left out in silence */
} Origin;

static const Origin origins[] = {
        [INI_VALUE] = { "Passing INI directive through FastCGI: ", ZEND_INI_USER, ZEND_INI_STAGE_ACTIVATE,
                        true, false },
        [INI_ADMIN_VALUE] = { "Passing INI directive through FastCGI: ", ZEND_INI_SYSTEM,
                              ZEND_INI_STAGE_ACTIVATE, true, false },
        [INI_SECTION] = { "A section of php.ini: ", ZEND_INI_SYSTEM, ZEND_INI_STAGE_ACTIVATE, true, true },
        [INI_USER_FILE] = { ".user.ini: ", ZEND_INI_PERDIR, ZEND_INI_STAGE_HTACCESS, false, true },
};

static const struct {
        const char *name, *reason;
} pool_only[] = {
#define POOL_ONLY(n, r) { n, r },
#include "worker/php/ini-request.def"
};

/*
 * Why only the whole pool can have a setting, NULL where a request can. Without regard to case, as PHP looks
 * at "extension".
 */
static const char *pool_only_reason(const char *name)
{
        for (size_t i = 0; i < ELEMENTSOF(pool_only); i++)
                if (strcasecmp(name, pool_only[i].name) == 0)
                        return pool_only[i].reason;
        return NULL;
}

/* The handler of a setting may end in a fatal error. Owns nothing: it comes by longjmp(3). */
static bool alter(const char *name, zend_string *value, const Origin *origin)
{
        volatile bool good = false;

        zend_try {
                zend_string *key = zend_string_init(name, strlen(name), false);
                zend_string *copy = zend_string_init(ZSTR_VAL(value), ZSTR_LEN(value), false);

                good = zend_alter_ini_entry_ex(key, copy, origin->mode, origin->stage, origin->force) ==
                       SUCCESS;
                zend_string_release(copy);
                zend_string_release(key);
        }
        zend_catch {
                /* Not the request's. */
                EG(exit_status) = 0;
                SG(sapi_headers).http_response_code = 200;
        }
        zend_end_try();
        return good;
}

/* Has the setting's handler say once more what holds, after it has failed halfway. */
static void put_back(zend_ini_entry *entry, uint8_t access)
{
        zend_try {
                if (entry->on_modify)
                        (void) entry->on_modify(entry, entry->value, entry->mh_arg1, entry->mh_arg2,
                                                entry->mh_arg3, ZEND_INI_STAGE_DEACTIVATE);
        }
        zend_end_try();
        entry->modifiable = access;
}

void ini_set_for_request(PhpRequest *r, const char *name, zend_string *value, IniOrigin from)
{
        const Origin *origin = &origins[from];
        const char *reason = pool_only_reason(name);
        zend_ini_entry *entry = zend_hash_str_find_ptr(EG(ini_directives), name, strlen(name));
        uint8_t access;

        if (!origin->force && entry && !(entry->modifiable & origin->mode))
                return;
        if (reason) {
                php_log_request(r, LOG_ERR, "%sunable to set '%s': %s", origin->prefix, name, reason);
                return;
        }
        if (!entry) {
                if (!origin->file)
                        php_log_request(r, LOG_ERR, "%sunable to set '%s'", origin->prefix, name);
                return;
        }
        access = entry->modifiable;
        if (!alter(name, value, origin)) {
                put_back(entry, access);
                php_log_request(r, LOG_ERR, "%sunable to set '%s': PHP refuses the value '%s'",
                                origin->prefix, name, ZSTR_VAL(value));
        } else if (entry->modifiable == ZEND_INI_SYSTEM)
                entry->modifiable |= ACCESS_OF_REQUEST;
}

void ini_set_all_for_request(PhpRequest *r, const HashTable *values, IniOrigin from)
{
        zend_string *name;
        zval *value;

        ZEND_HASH_FOREACH_STR_KEY_VAL((HashTable *) values, name, value)
        {
                /* An array is no setting. */
                if (name && Z_TYPE_P(value) == IS_STRING)
                        ini_set_for_request(r, ZSTR_VAL(name), Z_STR_P(value), from);
        }
        ZEND_HASH_FOREACH_END();
}

static zif_handler ini_get_all;

/* ini_get_all(), without that bit. */
static void ini_get_all_as_php(INTERNAL_FUNCTION_PARAMETERS)
{
        zval *setting, *access;

        ini_get_all(INTERNAL_FUNCTION_PARAM_PASSTHRU);
        if (Z_TYPE_P(return_value) != IS_ARRAY)
                return;
        ZEND_HASH_FOREACH_VAL(Z_ARRVAL_P(return_value), setting)
        {
                if (Z_TYPE_P(setting) != IS_ARRAY)
                        continue;
                access = zend_hash_str_find(Z_ARRVAL_P(setting), ZEND_STRL("access"));
                if (access && Z_TYPE_P(access) == IS_LONG)
                        Z_LVAL_P(access) &= ~ACCESS_OF_REQUEST;
        }
        ZEND_HASH_FOREACH_END();
}

void ini_wrap_functions(void)
{
        zend_function *f = zend_hash_str_find_ptr(CG(function_table), ZEND_STRL("ini_get_all"));

        if (!f || f->type != ZEND_INTERNAL_FUNCTION)
                return;
        ini_get_all = f->internal_function.handler;
        f->internal_function.handler = ini_get_all_as_php;
}

/* Finds the size of PHP's realpath cache, which is in a variable that libphp does not export. */
void ini_worker_start(void)
{
        zend_ini_entry *entry = zend_hash_str_find_ptr(EG(ini_directives), ZEND_STRL("realpath_cache_size"));

        if (entry)
                php_process.realpath_limit =
                                (zend_long *) ((char *) entry->mh_arg2 + (size_t) entry->mh_arg1);
}

/* PHP lets the cache grow no more when a request has open_basedir, and leaves it so. */
void ini_request_begins(void)
{
        if (php_process.realpath_limit)
                php_process.realpath_limit_kept = *php_process.realpath_limit;
}

void ini_request_ended(void)
{
        if (php_process.realpath_limit)
                *php_process.realpath_limit = php_process.realpath_limit_kept;
}
