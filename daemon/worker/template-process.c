/* SPDX-License-Identifier: MIT */

/*
 * The template: one process per generation that has done PHP's start-up. It serves nothing, has one thread,
 * and waits on the channel for orders.
 *
 * A batch of workers is forked by a short-lived launcher, whose death makes them the manager's children (it
 * is a subreaper). The launcher names their pids to the manager before it exits, since from then on the
 * manager can be told of their death. What the launcher could not do or say, the template reports after it
 * has reaped it: the launcher leaves what it achieved in shared memory, which holds even when it is killed.
 */

#include "worker/template-process.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/exit-status.h"
#include "ipc/messages.h"
#include "worker/php/php.h"
#include "worker/slowlog.h"
#include "worker/warmup.h"
#include "worker/worker.h"

typedef struct Launch {
        uint32_t announced; /* this many of the ordered workers, from the first, are known to the manager */
        int error;          /* why not more: positive errno value */
} Launch;

static void close_all(int *fds, size_t n)
{
        for (size_t i = 0; i < n; i++)
                fds[i] = fd_close(fds[i]);
}

static _noreturn_ void become_worker(const WorkerContext *c, const IpcMessage *order, uint32_t i,
                                     int *retire_fds, Launch *launch)
{
        int retire_fd = TAKE_FD(retire_fds[i]);

        (void) munmap(launch, sizeof *launch); /* a script must not be able to write to it */
        fd_close(c->inherit.channel);
        close_all(retire_fds, order->n);
        exit(worker_run(c, order->workers[i].slot, retire_fd));
}

static _noreturn_ void launcher_run(const WorkerContext *c, const IpcMessage *order, int *retire_fds,
                                    Launch *launch)
{
        IpcMessage message = { .type = IPC_SPAWNED };
        int error = 0;

        /* Its workers keep this title until they set their own: ps must not show them as templates. */
        title_set(&c->title, "php-pool-worker: %s (launcher)", c->pool);
        if (c->memories)
                memory_fds_close(c->memories);

        while (message.n < order->n) {
                IpcWorker *worker = &message.workers[message.n];
                pid_t pid;

                pid = fork();
                if (pid == 0)
                        become_worker(c, order, message.n, retire_fds, launch);
                if (pid < 0) {
                        error = errno;
                        break;
                }
                *worker = (IpcWorker) { .slot = order->workers[message.n].slot, .pid = pid };
                message.n++;
        }

        if (message.n == 0 || ipc_send(c->inherit.channel, &message, NULL, 0) >= 0)
                *launch = (Launch) { .announced = message.n, .error = error };
        _exit(EXIT_SUCCESS);
}

/* Tells which workers of an order nobody will hear of, and why: ECHILD where they may run all the same. */
static int report_failure(const WorkerContext *c, const IpcMessage *order, uint32_t first, int error)
{
        IpcMessage message = { .type = IPC_SPAWN_FAILED, .error = error };

        for (uint32_t i = first; i < order->n; i++)
                message.workers[message.n++] = order->workers[i];
        return ipc_send(c->inherit.channel, &message, NULL, 0);
}

static int spawn(const WorkerContext *c, const IpcMessage *order, int *retire_fds, Launch *launch)
{
        pid_t pid;

        *launch = (Launch) { .error = ECHILD };
        pid = fork();
        if (pid == 0)
                launcher_run(c, order, retire_fds, launch);
        if (pid < 0)
                launch->error = errno;
        else
                while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                        ;

        if (launch->announced >= order->n)
                return 0;
        return report_failure(c, order, launch->announced, launch->error);
}

/* Carries orders out until the channel ends. */
static int take_orders(const WorkerContext *c, Launch *launch)
{
        for (;;) {
                int fds[IPC_SPAWN_MAX], r;
                IpcMessage order;

                r = ipc_receive(c->inherit.channel, &order, fds);
                if (r <= 0)
                        return r;
                if (order.type == IPC_TRACE && c->memories)
                        slowlog_trace(c, order.workers[0].slot, order.workers[0].pid);
                if (order.type != IPC_SPAWN)
                        continue;

                if (c->memories)
                        memory_fds_take(c->memories);
                r = spawn(c, &order, fds, launch);
                close_all(fds, order.n);
                if (r < 0)
                        return r;
        }
}

/* What is wrong though PHP started: with an extension, with the warm-up. "" for nothing. */
static void gather_complaints(const WorkerContext *c, char *text, size_t size)
{
        char warmup[WARMUP_TEXT_MAX];
        const char *php;

        warmup_run(c, warmup);
        php = php_start_complaint();
        (void) snprintf(text, size, "%s%s%s", warmup, *warmup && *php ? "\n" : "", php);
}

/* What to do about a file that cannot be opened, where that is not clear from the error. */
static const char *open_hint(int error)
{
        switch (abs(error)) {
        case EACCES:
                return "; the pool's user must be able to write there";
        case EROFS:
                return "; ReadWritePaths= of the service would allow it";
        default:
                return "";
        }
}

/* What is needed before PHP is. 0, or -errno with a sentence in text[]. */
static int open_access_log(const WorkerContext *c, char *text, size_t size)
{
        const char *path = "";
        int r;

        r = access_log_open(c->access, &path);
        if (r < 0)
                (void) snprintf(text, size, "access.log: \"%s\" cannot be opened: %s%s.", path, strerror(-r),
                                open_hint(r));
        return r;
}

/*
 * Starts PHP, warms it up, and tells the manager how that went. Until orders are taken nobody looks whether
 * the manager is there, so a script that does not end must not keep us when it is killed.
 */
static int start(const WorkerContext *c)
{
        IpcMessage message = { .type = IPC_STARTED };
        const char *why = NULL;
        int r, q;

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        r = open_access_log(c, message.text, sizeof message.text);
        if (r >= 0) {
                r = php_start(c->config, &why);
                (void) fflush(NULL); /* or every worker would say it again */
                if (r < 0)
                        (void) snprintf(message.text, sizeof message.text, "%s", why ?: strerror(-r));
        }
        if (r < 0)
                message.type = IPC_FAILED;
        else {
                (void) snprintf(message.version, sizeof message.version, "%s", engine_version());
                gather_complaints(c, message.text, sizeof message.text);
        }

        q = ipc_send(c->inherit.channel, &message, NULL, 0);
        return r < 0 ? r : q;
}

int template_run(const WorkerContext *c)
{
        Launch *launch;
        int r;

        r = start(c);
        if (r == -EPIPE)
                return EXIT_STATUS_RETIRED;
        if (r < 0)
                return EXIT_STATUS_PHP_START;

        launch = mmap(NULL, sizeof *launch, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (launch == MAP_FAILED) {
                (void) log_error_errno(errno, "Failed to map the launcher's report: %m");
                return EXIT_STATUS_RESOURCES;
        }

        r = take_orders(c, launch);
        if (r < 0 && r != -EPIPE) {
                (void) log_error_errno(r, "Failed to talk to the manager: %m");
                return EXIT_STATUS_RESOURCES;
        }
        return EXIT_STATUS_RETIRED;
}
