/* SPDX-License-Identifier: MIT */

/*
 * The warm-up: the scripts of reload.warmup run before the first worker does, so that what opcache and its
 * like keep in shared memory is there when it is needed, and a generation that cannot run them is refused.
 *
 * They run in a child of the template, which PHP may crash and which a script may do anything to: the
 * template stays as PHP's start left it. The child has none of the descriptors by which workers serve, and
 * dies with the template: that is how reload.start_timeout ends a script that does not. Its verdict lies in
 * shared memory, which holds even when it is killed.
 *
 * Each script is a request to PHP, by operations of our own: nobody reads the answer.
 */

#include "worker/warmup.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/params.h"
#include "ipc/exit-status.h"
#include "worker/php/php.h"
#include "worker/request/html-text.h"

/* What is kept of what PHP logged about a script. */
#define WORDS_MAX 256

/* An answer from this status on says that the script failed. */
#define STATUS_FAILED 400

typedef struct Verdict {
        size_t passed;                   /* scripts that ran well, from the first */
        char complaint[WARMUP_TEXT_MAX]; /* about the next one, "" for nothing */
} Verdict;

typedef struct WarmupRequest {
        Request request;
        char words[WORDS_MAX]; /* what PHP logged last, its first line */
} WarmupRequest;

/* ---- The operations of a request ---- */

/* Each message comes in one piece, behind others that only set it off: the last piece is a message. */
static int on_write_error(Request *request, const void *bytes, size_t size)
{
        WarmupRequest *w = (WarmupRequest *) ((char *) request - offsetof(WarmupRequest, request));
        const char *end = memchr(bytes, '\n', size);
        size_t n = end ? (size_t) (end - (const char *) bytes) : size;

        (void) snprintf(w->words, sizeof w->words, "%.*s", (int) MIN(n, sizeof w->words),
                        (const char *) bytes);
        html_text_plain(w->words);
        return 0;
}

/* Nobody sends a body, or reads the answer. */
static const RequestOps ops = {
        .write_error = on_write_error,
};

/* ---- In the child ---- */

/* What a web server would send for a GET of a script in its document root. */
static int describe(Params *params, const char *path)
{
        const char *name = strrchr(path, '/');
        const struct {
                const char *name, *value;
        } list[] = {
                { "FCGI_ROLE", "RESPONDER" },
                { "GATEWAY_INTERFACE", "CGI/1.1" },
                { "SERVER_SOFTWARE", "php-pool/" PHP_POOL_VERSION },
                { "SERVER_PROTOCOL", "HTTP/1.1" },
                { "SERVER_NAME", "localhost" },
                { "HTTP_HOST", "localhost" },
                { "SERVER_ADDR", "127.0.0.1" },
                { "SERVER_PORT", "80" },
                { "REMOTE_ADDR", "127.0.0.1" },
                { "REMOTE_PORT", "0" },
                { "REQUEST_METHOD", "GET" },
                { "QUERY_STRING", "" },
                { "REQUEST_URI", name },
                { "SCRIPT_NAME", name },
                { "SCRIPT_FILENAME", path },
        };
        int r;

        params_clear(params);
        r = params_set(params, "DOCUMENT_ROOT", strlen("DOCUMENT_ROOT"), path, (size_t) (name - path));
        for (size_t i = 0; i < ELEMENTSOF(list) && r >= 0; i++)
                r = params_set(params, list[i].name, strlen(list[i].name), list[i].value,
                               strlen(list[i].value));
        return r;
}

static _printf_(3, 4) void complain(Verdict *v, const char *path, const char *format, ...)
{
        va_list ap;
        size_t n;

        n = (size_t) snprintf(v->complaint, sizeof v->complaint, "reload.warmup: %s ", path);
        if (n >= sizeof v->complaint)
                return;
        va_start(ap, format);
        (void) vsnprintf(v->complaint + n, sizeof v->complaint - n, format, ap);
        va_end(ap);
}

/* Runs one script; false when it failed, and when no other can run in this process. */
static bool run_script(Params *params, const char *path, Verdict *v)
{
        WarmupRequest w = { .request = { .ops = &ops, .params = params } };
        PhpOutcome outcome;
        int r;

        if (access(path, R_OK) < 0) {
                complain(v, path, "cannot be read: %s", strerror(errno));
                return false;
        }
        r = describe(params, path);
        if (r < 0) {
                complain(v, path, "cannot be requested: %s", strerror(-r));
                return false;
        }

        outcome = php_serve(&w.request);
        if (outcome.status >= STATUS_FAILED)
                complain(v, path, "answered %d%s%s", outcome.status, w.words[0] ? ": " : "", w.words);
        else if (outcome.failed || outcome.must_exit)
                complain(v, path, "failed%s%s", w.words[0] ? ": " : "", w.words);
        else
                v->passed++;
        return !v->complaint[0];
}

/* Leaves what makes the template, and what it has for workers: a script must reach nothing of it. */
static void become_child(const WorkerContext *c, pid_t template)
{
        Inherit all = c->inherit;
        int fds[INHERIT_MAX];
        size_t n;

        if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != template)
                _exit(EXIT_FAILURE);
        (void) prctl(PR_SET_NAME, "php-pool-warmup");
        title_set(&c->title, "php-pool-worker: %s (warm-up)", c->pool);

        if (c->memories)
                memory_fds_leave(c->memories);
        all.error = -EBADF; /* is the log's */
        n = inherit_list(&all, fds);
        for (size_t i = 0; i < n; i++)
                fd_close(fds[i]);
}

static _noreturn_ void child_run(const WorkerContext *c, pid_t template, Verdict *v)
{
        char *const *path = c->config->reload_warmup;
        Params *params;
        int r;

        become_child(c, template);
        r = params_new(&params);
        if (r >= 0)
                r = php_worker_start(-EBADF);
        if (r < 0) {
                complain(v, *path, "cannot be requested: %s", strerror(-r));
                _exit(EXIT_FAILURE);
        }

        while (*path && run_script(params, *path, v))
                path++;
        (void) fflush(NULL);
        if (*path)
                _exit(EXIT_FAILURE);
        params_free(params);
        php_worker_stop();
        exit(EXIT_SUCCESS);
}

/* ---- In the template ---- */

/* The child died on its way through the scripts. */
static void complain_of_death(int status, const WorkerContext *c, Verdict *v)
{
        char description[EXIT_DESCRIPTION_MAX];
        const char *path = NULL;

        for (size_t i = 0; i <= v->passed && c->config->reload_warmup[i]; i++)
                path = c->config->reload_warmup[i];
        if (WIFSIGNALED(status))
                exit_describe(CLD_KILLED, WTERMSIG(status), description);
        else
                exit_describe(CLD_EXITED, WEXITSTATUS(status), description);
        complain(v, path, "%s", description);
}

static int wait_for_child(const WorkerContext *c, Verdict *v)
{
        pid_t template = getpid(), pid;
        int status;

        pid = fork();
        if (pid == 0)
                child_run(c, template, v);
        if (pid < 0)
                return -errno;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;

        v->complaint[sizeof v->complaint - 1] = 0; /* scripts could write to it */
        if (status != 0 && !v->complaint[0])
                complain_of_death(status, c, v);
        return 0;
}

void warmup_run(const WorkerContext *c, char complaint[static WARMUP_TEXT_MAX])
{
        Verdict *v;
        int r;

        complaint[0] = 0;
        if (!*c->config->reload_warmup)
                return;

        v = mmap(NULL, sizeof *v, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        r = v == MAP_FAILED ? -errno : wait_for_child(c, v);
        if (r < 0)
                (void) snprintf(complaint, WARMUP_TEXT_MAX, "reload.warmup: no process for it: %s",
                                strerror(-r));
        else
                (void) snprintf(complaint, WARMUP_TEXT_MAX, "%s", v->complaint);
        if (v != MAP_FAILED)
                (void) munmap(v, sizeof *v);
}
