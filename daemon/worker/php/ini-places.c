/* SPDX-License-Identifier: MIT */

/*
 * Ini settings that hang on where a script is and on the host's name: [HOST=] and [PATH=] sections of
 * php.ini, whose values a script cannot change, and .user.ini files. What the files of a directory and those
 * above it say is remembered for user_ini.cache_ttl seconds.
 */

#include "worker/php/internal.h"

#include <ctype.h>

/* The most directories whose .user.ini files are remembered. */
#define USER_INI_MAX 1024

/* The files of a directory and those above it, up to the document root. */
typedef struct UserIni {
        time_t expires; /* seconds since 1970 */
        HashTable values;
} UserIni;

static void user_ini_free(zval *value)
{
        UserIni *u = Z_PTR_P(value);

        zend_hash_destroy(&u->values);
        free(u);
}

void ini_init(void)
{
        zend_hash_init(&php_process.user_ini, 0, NULL, user_ini_free, true);
}

void ini_done(void)
{
        zend_hash_destroy(&php_process.user_ini);
}

/* A setting of php.ini could have the name, too: only a section is an array. */
static void apply_section(PhpRequest *r, const char *name, size_t size)
{
        const zval *section = cfg_get_entry(name, size);

        if (section && Z_TYPE_P(section) == IS_ARRAY)
                ini_set_all_for_request(r, Z_ARRVAL_P(section), INI_SECTION);
}

static void apply_host(PhpRequest *r)
{
        const char *host = params_get(r->request->params, "SERVER_NAME", NULL);
        char name[256];
        size_t size = host ? strlen(host) : 0;

        if (size == 0 || size >= sizeof name)
                return;
        for (size_t i = 0; i <= size; i++)
                name[i] = (char) tolower((unsigned char) host[i]);
        apply_section(r, name, size);
}

/* The sections of path, which ends in a slash, and of all directories above it, the topmost first. */
static void apply_directories(PhpRequest *r, const char *path)
{
        for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/'))
                apply_section(r, path, (size_t) (p - path));
}

/*
 * Parses the files of the directories from the document root down to path, which ends in a slash; outside of
 * the document root, only that of path itself; above it, none. The names are cut in place, and put together
 * again.
 */
static void parse_user_ini(char *path, const char *root, size_t root_size, HashTable *values)
{
        size_t size = strlen(path);
        char *p = path + root_size;

        if (size <= root_size && memcmp(path, root, size) == 0)
                return;
        if (size < root_size || memcmp(path, root, root_size) != 0) {
                (void) php_parse_user_ini_file(path, PG(user_ini_filename), values);
                return;
        }
        while ((p = strchr(p, '/'))) {
                *p = 0;
                (void) php_parse_user_ini_file(path, PG(user_ini_filename), values);
                *p++ = '/';
        }
}

/* The remembered values of a directory; ones that are out of date are empty, and *ret_stale says so. */
static UserIni *user_ini_find(const char *path, size_t size, time_t now, bool *ret_stale)
{
        HashTable *all = &php_process.user_ini;
        UserIni *u = zend_hash_str_find_ptr(all, path, size);

        *ret_stale = !u || now > u->expires;
        if (u) {
                if (*ret_stale)
                        zend_hash_clean(&u->values);
                return u;
        }

        if (zend_hash_num_elements(all) >= USER_INI_MAX)
                zend_hash_clean(all);
        u = calloc(1, sizeof *u);
        if (!u)
                return NULL;
        zend_hash_init(&u->values, 0, NULL, config_zval_dtor, true);
        zend_hash_str_update_ptr(all, path, size, u);
        return u;
}

static void apply_user_ini(PhpRequest *r, char *path)
{
        const char *root = params_get(r->request->params, "DOCUMENT_ROOT", NULL);
        time_t now = time(NULL);
        size_t root_size;
        bool stale;
        UserIni *u;

        if (!root || !PG(user_ini_filename) || !*PG(user_ini_filename))
                return;
        root_size = strlen(root);
        if (root_size > 0 && root[root_size - 1] == '/')
                root_size--;

        u = user_ini_find(path, strlen(path), now, &stale);
        if (!u)
                return;
        if (stale) {
                parse_user_ini(path, root, root_size, &u->values);
                u->expires = now + PG(user_ini_cache_ttl);
        }
        ini_set_all_for_request(r, &u->values, INI_USER_FILE);
}

void ini_apply_request(PhpRequest *r)
{
        char path[MAXPATHLEN];
        size_t size;

        ini_apply_params(r);
        /* What is wrong with the rest is told as of PHP-FPM's: "PHP Request Startup: …". */
        PG(during_request_startup) = true;
        if (!r->script.path)
                return;
        if (php_ini_has_per_host_config())
                apply_host(r);

        /* A relative name has no directory that a section or a file could be found by. */
        size = strlen(r->script.path);
        if (r->script.path[0] != '/' || size + 1 >= sizeof path)
                return;
        memcpy(path, r->script.path, size + 1);
        size = zend_dirname(path, size);
        path[size++] = '/';
        path[size] = 0;
        if (php_ini_has_per_dir_config())
                apply_directories(r, path);
        apply_user_ini(r, path);
}
