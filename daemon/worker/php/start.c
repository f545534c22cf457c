/* SPDX-License-Identifier: MIT */

/*
 * PHP's life in this process: started once, in the template; inherited by the workers that it forks; ended
 * in each. php_serve() is in request.c. The settings are borrowed from the caller for as long as the
 * process lives.
 */

#include "worker/php/php.h"

#include "worker/php/internal.h"

#include <signal.h>
#include <unistd.h>
#include <zend_signal.h>

#include "base/log.h"
#include "worker/php/compat.h"

#define SCAN_DIR "PHP_INI_SCAN_DIR"

/* What php_module_startup() takes, and what must be put back behind it. */
typedef struct Start {
        char executable[PATH_MAX];
        char *entries;       /* PHP keeps a pointer to it: never freed */
        char *scan_dir_kept; /* the environment's own PHP_INI_SCAN_DIR, NULL for none */
} Start;

/* A php.ini that was asked for by name must be there; PHP would start without one. */
static int check_ini_path(const char *path, const char **ret_why)
{
        static char why[PATH_MAX + 128];
        int r;

        if (!*path || access(path, R_OK) >= 0)
                return 0;
        r = -errno;
        (void) snprintf(why, sizeof why, "php.ini \"%s\" cannot be read: %s.", path, strerror(-r));
        *ret_why = why;
        return r;
}

/* PHP takes these directories from the environment only, where scripts should not find them. */
static int set_scan_dir(const char *directories, char **ret_kept)
{
        const char *old = getenv(SCAN_DIR);

        *ret_kept = NULL;
        if (!*directories)
                return 0;
        if (old) {
                *ret_kept = strdup(old);
                if (!*ret_kept)
                        return -ENOMEM;
        }
        return setenv(SCAN_DIR, directories, true) < 0 ? -errno : 0;
}

static void restore_scan_dir(const char *directories, char *kept)
{
        if (*directories && kept)
                (void) setenv(SCAN_DIR, kept, true);
        else if (*directories)
                (void) unsetenv(SCAN_DIR);
        free(kept);
}

/*
 * FPM is built without pcntl, and libphp may be built with it. In a worker its functions do harm: a forked
 * script would go on as a second worker on the same connection. So it is taken out before it is started, and
 * so is chroot(), which FPM has not either.
 */
static int register_extensions(void)
{
        zend_module_entry *module;

        if (php_register_internal_extensions() == FAILURE)
                return FAILURE;
        module = zend_hash_str_find_ptr(&module_registry, ZEND_STRL("pcntl"));
        if (module) {
                zend_unregister_functions(module->functions, -1, NULL);
                (void) zend_hash_str_del(&module_registry, ZEND_STRL("pcntl"));
        }
        (void) zend_hash_str_del(CG(function_table), ZEND_STRL("chroot"));
        return SUCCESS;
}

static int prepare(const Config *config, Start *start)
{
        ssize_t n;
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        zend_signal_startup();
        php_register_internal_extensions_func = register_extensions;
        sapi_startup(&pool_sapi_module);

        r = ini_pool_entries(config, &start->entries);
        if (r < 0)
                return r;
        pool_sapi_module.ini_entries = start->entries;
        if (*config->php_ini)
                pool_sapi_module.php_ini_path_override = config->php_ini;

        /* PHP_BINARY */
        n = readlink("/proc/self/exe", start->executable, sizeof start->executable - 1);
        if (n > 0) {
                start->executable[n] = 0;
                pool_sapi_module.executable_location = start->executable;
        }
        return set_scan_dir(config->php_ini_scan_dir, &start->scan_dir_kept);
}

/* Module start-up, preload, the pool's values; false when one failed. Owns nothing: PHP may longjmp. */
static bool start_up(const Config *config)
{
        volatile bool good = false;

        zend_first_try {
                good = php_module_startup(&pool_sapi_module, &pool_module_entry) == SUCCESS &&
                       ini_check_files() && ini_apply_pool_values(config);
        }
        zend_end_try();
        return good;
}

int php_start(const Config *config, const char **ret_why)
{
        static Start start;
        bool good;
        int r;

        r = engine_check(config->php_version, ret_why);
        if (r < 0)
                return r;
        *ret_why = "PHP did not start; what it said is in the log.";
        r = check_ini_path(config->php_ini, ret_why);
        if (r >= 0)
                r = root_resolve(config->security_script_root, ret_why);
        if (r < 0)
                return r;

        /* log_level is the manager's: what scripts log is filtered by error_reporting. */
        log_set_max_level(MAX(log_get_max_level(), LOG_NOTICE));
        php_process.config = config;
        r = prepare(config, &start);
        if (r < 0)
                return r;
        good = start_up(config);
        restore_scan_dir(config->php_ini_scan_dir, start.scan_dir_kept);
        if (!good) {
                if (*php_log_last())
                        *ret_why = php_log_last();
                return -ENOEXEC;
        }

        /* Nobody but us sets handlers for PHP's signals, so it need not look at them for each request. */
        SIGG(reset) = false;
        mail_start();
        sapi_hook_environment();
        limit_hook_interrupt();
        return 0;
}

int php_worker_start(int handoff)
{
        php_process.handoff = handoff;
        /* PHP would ask for it at each request: execute() does without. */
        SG(options) |= SAPI_OPTION_NO_CHDIR;
        if (!getcwd(php_process.directory, sizeof php_process.directory))
                php_process.directory[0] = 0;
        ini_worker_start();
        compat_child_init();
        return timeout_start();
}

void php_worker_stop(void)
{
        zend_first_try {
                php_module_shutdown();
        }
        zend_end_try();
}
