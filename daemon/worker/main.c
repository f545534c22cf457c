/* SPDX-License-Identifier: MIT */

/*
 * php-pool-worker: started by the manager as a template, and by nobody else. Its arguments are the pool's
 * name, the build and descriptor numbers (ipc/inherit.h), its settings come sealed; it reads no pool file.
 * Only wires.
 *
 * Environment, taken and removed, so that scripts do not see it: PHP_POOL_LOG (base/log.h),
 * INHERIT_GENERATION, JOURNAL_STREAM.
 */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/exit-status.h"
#include "worker/template-process.h"
#include "worker/transport/fastcgi.h"

static const Transport *const transports[_PROTOCOL_MAX] = {
        [PROTOCOL_FASTCGI] = &fastcgi_transport,
};

static void take_environment(void)
{
        const char *generation = getenv(INHERIT_GENERATION);

        log_open();
        if (generation)
                (void) log_set_context("PHP_GENERATION", generation);
        (void) unsetenv(INHERIT_GENERATION);
        (void) unsetenv("PHP_POOL_LOG");
        (void) unsetenv("JOURNAL_STREAM");
}

/*
 * Default dispositions and an empty mask, whatever we inherited; but a broken pipe is an error, not a death.
 */
static void reset_signals(void)
{
        sigset_t none;

        for (int i = 1; i < NSIG; i++)
                (void) signal(i, SIG_DFL);
        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Looks at each listening socket once. TCP_NODELAY goes on to the connections that are accepted from it
 * (tcp(7)).
 */
static int prepare_sockets(WorkerContext *c)
{
        for (size_t i = 0; i < c->inherit.n_listen; i++) {
                socklen_t size = sizeof(int);
                int domain, on = 1;

                if (getsockopt(c->inherit.listen[i].fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0)
                        return -errno;
                c->unix_socket[i] = domain == AF_UNIX;
                if (domain != AF_UNIX)
                        (void) setsockopt(c->inherit.listen[i].fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        }
        return 0;
}

static int run(WorkerContext *c)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) Network *allowed = NULL;
        _cleanup_(scoreboard_freep) Scoreboard *board = NULL;
        _cleanup_(access_log_freep) AccessLog *access = NULL;
        _cleanup_(memory_fds_freep) MemoryFds *memories = NULL;
        int r;

        r = config_unseal(c->inherit.settings, &config);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to read the settings that the manager sealed: %m");
                return EXIT_STATUS_SETTINGS;
        }
        r = scoreboard_map(c->inherit.scoreboard, &board);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to map the scoreboard: %m");
                return EXIT_STATUS_RESOURCES;
        }
        r = access_log_new(config, c->pool, &access);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to prepare the access log: %m");
                return EXIT_STATUS_RESOURCES;
        }
        r = prepare_sockets(c);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to look at the listening sockets: %m");
                return EXIT_STATUS_RESOURCES;
        }

        r = network_parse_list(config->security_allowed_clients, &allowed, &c->n_allowed);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to read security.allowed_clients: %m");
                return EXIT_STATUS_SETTINGS;
        }

        if (config->request_slowlog_timeout > 0) {
                r = memory_fds_new(scoreboard_size(board), &memories);
                if (r < 0) {
                        (void) log_error_errno(r, "Failed to prepare the slow log: %m");
                        return EXIT_STATUS_RESOURCES;
                }
        }

        /* What a client or a script may do comes later than this. */
        if (config->process_dumpable)
                (void) prctl(PR_SET_DUMPABLE, 1);
        c->memories = memories;
        c->inherit.settings = fd_close(c->inherit.settings);
        c->inherit.scoreboard = fd_close(c->inherit.scoreboard);
        c->config = config;
        c->board = board;
        c->allowed = allowed;
        c->access = access;
        log_set_max_level(config->log_level);
        return template_run(c);
}

int main(int argc, char **argv)
{
        _cleanup_(freep) char *pool = NULL;
        WorkerContext context = { .transports = transports };
        int r;

        /* execve(2) has made us dumpable: other processes of this user could read and write our memory. */
        (void) prctl(PR_SET_DUMPABLE, 0);
        /* Before anything is read that depends on the build; the manager says what to do about another. */
        if (argc > INHERIT_ARGV_BUILD && !inherit_is_same_build(argc, argv))
                return EXIT_STATUS_OTHER_BUILD;
        take_environment();
        reset_signals();

        r = -EINVAL;
        if (argc > INHERIT_ARGV_FIRST)
                r = inherit_parse(argc - INHERIT_ARGV_FIRST, argv + INHERIT_ARGV_FIRST, &context.inherit);
        if (r < 0) {
                (void) log_error_errno(r, "The manager alone starts php-pool-worker: %m");
                return EXIT_STATUS_USAGE;
        }

        log_set_stderr(context.inherit.error);

        pool = strdup(argv[1]);
        if (!pool || title_init(argc, argv, &context.title) < 0 || fd_null(STDIN_FILENO) < 0)
                return EXIT_STATUS_RESOURCES;

        context.pool = pool;
        (void) log_set_context("PHP_POOL", pool);
        (void) prctl(PR_SET_NAME, "php-pool-tmpl");
        title_set(&context.title, "php-pool-worker: %s (template)", pool);
        return run(&context);
}
