/* SPDX-License-Identifier: MIT */

/* php-poold: reads its arguments and the pool file, takes the sockets from systemd, runs the manager. */

#include <getopt.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/log.h"
#include "base/messages.h"
#include "ipc/control.h"
#include "ipc/exit-status.h"
#include "ipc/inherit.h"
#include "manager/manager.h"
#include "poolfile/dump.h"
#include "poolfile/parse.h"

static bool arg_check;
static const char *arg_config;
static const char *arg_pool;

static void help(void)
{
        printf("php-poold [OPTION…] POOL\n\n"
               "Runs a pool of PHP workers behind the sockets that systemd passes.\n\n"
               "  -h --help          Show this help\n"
               "     --version       Show the version\n"
               "     --check         Check the pool file, show all settings, and exit\n"
               "     --config=FILE   The pool file, instead of " CONFIG_DIR "/POOL.conf\n\n"
               "See php-poold(8) and php-pool.conf(5).\n");
}

/* 1 to go on, 0 when everything was done, -EINVAL for wrong usage. */
static int parse_argv(int argc, char **argv)
{
        enum { ARG_VERSION = 0x100, ARG_CHECK, ARG_CONFIG };
        static const struct option options[] = {
                { "help", no_argument, NULL, 'h' },
                { "version", no_argument, NULL, ARG_VERSION },
                { "check", no_argument, NULL, ARG_CHECK },
                { "config", required_argument, NULL, ARG_CONFIG },
                {},
        };
        const char *why;
        int c;

        while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0)
                switch (c) {
                case 'h':
                        help();
                        return 0;
                case ARG_VERSION:
                        puts("php-poold " PHP_POOL_VERSION);
                        return 0;
                case ARG_CHECK:
                        arg_check = true;
                        break;
                case ARG_CONFIG:
                        arg_config = optarg;
                        break;
                default:
                        return -EINVAL;
                }

        if (optind + 1 != argc)
                return log_error_errno(EINVAL, "php-poold takes the name of one pool, see --help.");
        arg_pool = argv[optind];
        why = pool_name_error(arg_pool);
        if (why)
                return log_error_errno(EINVAL, "No pool can be called \"%s\": %s.", arg_pool, why);
        return 1;
}

/*
 * Reads the pool file and logs all that is wrong with it: in one record, as systemd may start us for it once
 * a second.
 */
static int read_config(const char *path, Config **ret)
{
        ConfigErrors errors = {};
        int r;

        r = config_parse_pool(path, ret, &errors);
        if (r < 0) {
                _cleanup_(freep) char *text = config_errors_format(&errors);

                if (arg_check)
                        log_error("%s", text ?: strerror(-r));
                else
                        (void) log_record(LOG_ERR, 0, MESSAGE_ID(START_FAILED), NULL,
                                          "Pool %s does not start: %s", arg_pool, text ?: strerror(-r));
        }
        config_errors_clear(&errors);
        return r;
}

static bool in_roots_group(void)
{
        _cleanup_(freep) gid_t *groups = NULL;
        gid_t real, effective, saved;
        int n;

        n = getgroups(0, NULL);
        groups = n < 0 ? NULL : calloc((size_t) n + 1, sizeof *groups);
        if (!groups || getgroups(n, groups) < 0 || getresgid(&real, &effective, &saved) < 0)
                return true;
        for (int i = 0; i < n; i++)
                if (groups[i] == 0)
                        return true;
        return real == 0 || effective == 0 || saved == 0;
}

/*
 * Whether scripts would run as root, or in root's group. That is refused, as in PHP-FPM: everybody who can
 * put a script there would own the machine. Where the system does not say, they would.
 */
static bool is_root(void)
{
        uid_t real, effective, saved;

        if (getresuid(&real, &effective, &saved) < 0)
                return true;
        return real == 0 || effective == 0 || saved == 0 || in_roots_group();
}

static int refuse_root(void)
{
        return log_record(LOG_ERR, EPERM, MESSAGE_ID(START_FAILED), NULL,
                          "Pool %s does not start: it would run as root, or in the group root. Name "
                          "another in User=, Group= and SupplementaryGroups= of php-pool@%s.service, with "
                          "systemctl edit.",
                          arg_pool, arg_pool);
}

static int run(const char *path, Config *taken_config)
{
        _cleanup_(config_freep) Config *config = taken_config;
        _cleanup_(manager_freep) Manager *m = NULL;
        Listen listen = { .control = -EBADF };
        int r;

        r = listen_take(arg_pool, &listen);
        if (r < 0)
                return EX_NOINPUT;

        if (config->process_dumpable)
                (void) prctl(PR_SET_DUMPABLE, 1);
        log_set_max_level(config->log_level);
        r = manager_new(arg_pool, path, TAKE_PTR(config), &listen, &m);
        if (r < 0)
                return EXIT_FAILURE;

        r = manager_run(m);
        if (r < 0)
                (void) log_error_errno(r, "The event loop failed: %m");
        (void) log_tell_lost(/* now= */ true);
        return r < 0 ? EXIT_FAILURE : r;
}

/* Executes a worker's program, if that is of this build: see ipc/inherit.h. Returns an exit status. */
static int become_worker(int argc, char **argv)
{
        argv[1] += strlen(INHERIT_THROUGH);
        if (!inherit_is_same_build(argc - 1, argv + 1))
                return EXIT_STATUS_OTHER_BUILD;
        (void) execve(argv[1], argv + 1, environ);
        dprintf(STDERR_FILENO, "Failed to execute %s: %m\n", argv[1]);
        return EXIT_STATUS_NOT_EXECUTED;
}

int main(int argc, char **argv)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) char *path = NULL;
        int r;

        /* Or scripts, which run as this user, could read and write our memory (prctl(2)). */
        (void) prctl(PR_SET_DUMPABLE, 0);
        if (argc > 1 && startswith(argv[1], INHERIT_THROUGH))
                return become_worker(argc, argv);
        log_open();
        r = parse_argv(argc, argv);
        if (r <= 0)
                return r < 0 ? EX_USAGE : EXIT_SUCCESS;
        (void) log_set_context("PHP_POOL", arg_pool);

        if (arg_config)
                path = strdup(arg_config);
        else if (asprintf(&path, CONFIG_DIR "/%s.conf", arg_pool) < 0)
                path = NULL;
        if (!path)
                return EX_OSERR;

        if (!arg_check && is_root()) {
                (void) refuse_root();
                return EX_CONFIG;
        }
        r = read_config(path, &config);
        if (r < 0)
                return EX_CONFIG;
        if (arg_check) {
                config_dump(config, stdout);
                return EXIT_SUCCESS;
        }
        return run(path, TAKE_PTR(config));
}
