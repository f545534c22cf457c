/* SPDX-License-Identifier: MIT */

/*
 * A worker's start and end: what distinguishes it from the template that it was forked from. Called by the
 * launcher (template-process.c) in the new process.
 *
 * Signals: SIGTERM, SIGQUIT, SIGINT and SIGHUP all mean "finish, then exit", the same as the manager's order
 * by the retire eventfd, and the handler does no more than give that order, unless the manager has condemned
 * the request at hand, which then ends at once (serve/overtime.c). They are caught and neither
 * ignored nor blocked, because programs that scripts start would inherit that.
 */

#include "worker/worker.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/exit-status.h"
#include "ipc/messages.h"
#include "worker/php/php.h"
#include "worker/serve/overtime.h"
#include "worker/serve/serve.h"

/* What scripts write to standard error is logged at this level, as PHP-FPM does. */
#define SCRIPT_OUTPUT_LEVEL LOG_WARNING

/* For the signal handler, which can be told nothing. */
static volatile sig_atomic_t retire_signal_fd = -1;

static void on_retire_signal(int signal _unused_)
{
        uint64_t order = IPC_RETIRE_STOP; /* systemd stops the pool, or its manager is gone */
        int saved = errno;

        overtime_end();
        if (write(retire_signal_fd, &order, sizeof order) < 0)
                errno = 0; /* it is full of orders already */
        errno = saved;
}

static int catch_signals(int retire_fd)
{
        static const int signals[] = { SIGTERM, SIGQUIT, SIGINT, SIGHUP };
        struct sigaction action = { .sa_handler = on_retire_signal, .sa_flags = SA_RESTART };

        retire_signal_fd = retire_fd;
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                if (sigaction(signals[i], &action, NULL) < 0)
                        return -errno;
        return 0;
}

/*
 * Standard output and error: a journal stream of its own, by which the journal knows which worker said a
 * line, and lines do not mix. Without a journal it is the template's, which the manager reads.
 */
static int open_streams(const WorkerContext *c)
{
        _cleanup_(fd_closep) int own = -EBADF;

        php_set_streams(STDERR_FILENO, STDERR_FILENO);
        if (!log_to_journal())
                return 0;
        own = sd_journal_stream_fd(LOG_IDENTIFIER, SCRIPT_OUTPUT_LEVEL, /* level_prefix= */ false);
        if (own < 0)
                return own;
        if (dup2(own, STDOUT_FILENO) < 0 || dup2(own, STDERR_FILENO) < 0)
                return -errno;
        php_set_streams(TAKE_FD(own), c->inherit.error);
        return 0;
}

static void set_identity(const WorkerContext *c, size_t slot)
{
        char pid[16];
        int r;

        (void) snprintf(pid, sizeof pid, "%d", getpid());
        (void) log_set_context("PHP_WORKER_PID", pid);
        (void) prctl(PR_SET_NAME, "php-pool-worker");
        title_set(&c->title, "php-pool-worker: %s (worker %zu)", c->pool, slot);
        r = open_streams(c);
        if (r < 0)
                (void) log_warning_errno(r, "Failed to open a journal stream, ignoring: %m");
}

/* For backtraces, which the template reads from our memory. */
static void give_memory(const WorkerContext *c, size_t slot)
{
        int r;

        if (!c->memories)
                return;
        r = memory_fds_give(c->memories, slot, c->config->process_dumpable);
        if (r < 0)
                (void) log_warning_errno(r,
                                         "Failed to open a worker's memory for the slow log, ignoring: %m");
}

int worker_run(const WorkerContext *c, size_t slot, int retire_fd)
{
        ExitStatus status;
        int r;

        set_identity(c, slot);
        give_memory(c, slot);

        r = catch_signals(retire_fd);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to catch signals: %m");
                return EXIT_STATUS_RESOURCES;
        }
        r = scoreboard_attach(c->board, slot);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to take scoreboard slot %zu: %m", slot);
                return EXIT_STATUS_RESOURCES;
        }
        r = overtime_catch(c, slot, php_interrupt);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to catch the signal that ends a request: %m");
                return EXIT_STATUS_RESOURCES;
        }
        r = php_worker_start(c->inherit.handoff);
        if (r < 0) {
                (void) log_error_errno(r, "Failed to start PHP in a worker: %m");
                return EXIT_STATUS_PHP_START;
        }

        status = serve(c, slot, retire_fd);
        if (status == EXIT_STATUS_PHP_EXIT) {
                /* Nothing of PHP and its libraries is to be trusted: they do not run again. */
                (void) fflush(NULL);
                _exit(status);
        }
        php_worker_stop();
        return status;
}
