/* SPDX-License-Identifier: MIT */

/*
 * php-poolctl request: makes one request as a web server would, so that a pool can be tried without one.
 * Without --root, SCRIPT is a file's path and all of it is also the SCRIPT_NAME; so "/ping" works as well.
 */

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/text.h"
#include "ctl/answer.h"
#include "ctl/ctl.h"
#include "ctl/exchange.h"
#include "ctl/print.h"
#include "ctl/systemd.h"
#include "ipc/names.h"

typedef struct AnswerOutput {
        Answer answer;
        bool include;
        bool terminal; /* the output goes to a terminal: it is escaped */
        Escaped out, errors;
} AnswerOutput;

static int set_param(Params *params, const char *name, const char *value)
{
        return params_set(params, name, strlen(name), value, strlen(value));
}

/* Makes SCRIPT start with "/": it is below the working directory, or below the root. */
static int script_name(const Options *options, const char *script, char **ret)
{
        _cleanup_(freep) char *directory = NULL;

        if (script[0] != '/' && !options->root) {
                directory = getcwd(NULL, 0);
                if (!directory)
                        return -errno;
        }
        return text_format(ret, "%s%s%s", directory ?: "", script[0] == '/' ? "" : "/", script);
}

/* What depends on SCRIPT. */
static int add_script(Params *params, const Options *options, const char *script)
{
        _cleanup_(freep) char *name = NULL, *file = NULL, *uri = NULL;
        const char *root = options->root ?: "", *query = options->query ?: "";
        int r;

        r = script_name(options, script, &name);
        if (r < 0) {
                name = NULL;
                return r;
        }
        if (text_format(&file, "%s%s", root, name) < 0)
                return -ENOMEM;
        if (text_format(&uri, "%s%s%s", name, *query ? "?" : "", query) < 0)
                return -ENOMEM;

        const struct {
                const char *name, *value;
        } script_params[] = {
                { "SCRIPT_FILENAME", file }, { "SCRIPT_NAME", name },
                { "DOCUMENT_URI", name },    { "REQUEST_URI", uri },
                { "QUERY_STRING", query },   { "DOCUMENT_ROOT", *root ? root : "/" },
        };
        for (size_t i = 0; i < ELEMENTSOF(script_params); i++) {
                r = set_param(params, script_params[i].name, script_params[i].value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int add_body(Params *params, int body_fd)
{
        char length[32];
        struct stat st;
        int r;

        if (body_fd < 0)
                return 0;
        if (fstat(body_fd, &st) < 0)
                return -errno;
        (void) snprintf(length, sizeof length, "%lld", (long long) st.st_size);
        r = set_param(params, "CONTENT_LENGTH", length);
        if (r < 0)
                return r;
        return set_param(params, "CONTENT_TYPE", "application/x-www-form-urlencoded");
}

/* The parameters in the order of nginx; those of --param last, so that they prevail. */
static int make_params(const Options *options, const char *script, int body_fd, Params **ret)
{
        static const char *const fixed[][2] = {
                { "GATEWAY_INTERFACE", "CGI/1.1" }, { "SERVER_SOFTWARE", "php-poolctl/" PHP_POOL_VERSION },
                { "SERVER_PROTOCOL", "HTTP/1.1" },  { "REQUEST_SCHEME", "http" },
                { "REMOTE_ADDR", "127.0.0.1" },     { "REMOTE_PORT", "0" },
                { "SERVER_ADDR", "127.0.0.1" },     { "SERVER_PORT", "80" },
                { "SERVER_NAME", "localhost" },     { "HTTP_HOST", "localhost" },
        };
        _cleanup_(params_freep) Params *params = NULL;
        int r;

        r = params_new(&params);
        if (r < 0)
                return r;
        r = add_script(params, options, script);
        if (r < 0)
                return r;
        r = set_param(params, "REQUEST_METHOD", options->method ?: body_fd >= 0 ? "POST" : "GET");
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(fixed); i++) {
                r = set_param(params, fixed[i][0], fixed[i][1]);
                if (r < 0)
                        return r;
        }
        r = add_body(params, body_fd);
        if (r < 0)
                return r;
        for (size_t i = 0; i < options->params.n; i++) {
                const char *p = options->params.list[i], *equals = strchr(p, '=');

                r = params_set(params, p, (size_t) (equals - p), equals + 1, strlen(equals + 1));
                if (r < 0)
                        return r;
        }

        *ret = TAKE_PTR(params);
        return 0;
}

/* A pipe's length is not known before its end: its bytes go to memory first. */
static int spool_pipe(int fd, int *ret_fd)
{
        _cleanup_(fd_closep) int copy = -EBADF;
        char buffer[65536];
        ssize_t n;
        int r;

        copy = memfd_create("php-poolctl-body", MFD_CLOEXEC);
        if (copy < 0)
                return -errno;
        while ((n = read(fd, buffer, sizeof buffer)) > 0) {
                r = io_write_all(copy, buffer, (size_t) n);
                if (r < 0)
                        return r;
        }
        if (n < 0 || lseek(copy, 0, SEEK_SET) < 0)
                return -errno;
        *ret_fd = TAKE_FD(copy);
        return 0;
}

/* Opens the body: *ret_fd is a regular file or memory. Without a path, it stays as it is. 0 or -errno. */
static int open_body(const char *path, int *ret_fd)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;

        if (!path)
                return 0;
        fd = streq(path, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode) || lseek(fd, 0, SEEK_CUR) != 0)
                return spool_pipe(fd, ret_fd);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

static void write_output(AnswerOutput *o, const char *bytes, size_t size)
{
        if (o->terminal)
                escaped_write(&o->out, bytes, size);
        else
                (void) fwrite(bytes, 1, size, stdout);
}

static int on_output(void *userdata, const char *bytes, size_t size)
{
        AnswerOutput *o = userdata;
        bool had_head = o->answer.head_ended;
        const char *body;
        size_t n;
        int r;

        r = answer_take(&o->answer, bytes, size, &body, &n);
        if (r < 0)
                return r;
        if (o->include && !had_head && o->answer.head_ended) {
                write_output(o, o->answer.head, strlen(o->answer.head));
                write_output(o, "\n", 1);
        }
        write_output(o, body, n);
        return fflush(stdout) == EOF ? -errno : 0;
}

/*
 * Shows what the application logs, escaped, as it is for people wherever it goes. Each record ends a line.
 */
static int on_stderr(void *userdata, const char *bytes, size_t size)
{
        AnswerOutput *o = userdata;

        escaped_write(&o->errors, bytes, size);
        escaped_end_line(&o->errors);
        return 0;
}

/* The first Unix socket that the pool's unit listens on, or else its first TCP port; NULL for none. */
static char *unit_address(const char *pool)
{
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        char **addresses, *found = NULL;
        size_t n;

        if (systemd_connect(&bus) < 0 || systemd_listen(bus, pool, &addresses, &n) < 0)
                return NULL;
        for (size_t i = 0; i < n && !found; i++)
                if (addresses[i][0] == '/')
                        found = strdup(addresses[i]);
        for (size_t i = 0; i < n && !found; i++)
                if (isdigit((unsigned char) addresses[i][0]) || addresses[i][0] == '[')
                        found = strdup(addresses[i]);
        ctl_names_free(addresses, n);
        return found;
}

/*
 * Finds the address that the pool listens on. systemd is only asked where the usual socket is not there.
 * 0, -ENOENT for no pool, or -ENOMEM.
 */
static int pool_address(const char *pool, char **ret)
{
        _cleanup_(freep) char *usual = NULL;
        int r;

        r = pool_socket_path(pool, POOL_SOCKET_FASTCGI, &usual);
        if (r < 0)
                return r;
        if (access(usual, F_OK) < 0 && errno == ENOENT) {
                if (!ctl_pool_exists(pool))
                        return -ENOENT;
                *ret = unit_address(pool);
                if (*ret)
                        return 0;
        }
        *ret = TAKE_PTR(usual);
        return 0;
}

/* Connects to the pool, or says why not. CTL_SUCCESS and a connection, or another status. */
static CtlExit connect_pool(const Options *options, const char *pool, int *ret_fd)
{
        _cleanup_(freep) char *found = NULL;
        const char *address = options->socket;
        char timeout[PARSE_FORMAT_MAX];
        int r;

        if (!address) {
                r = pool_address(pool, &found);
                if (r == -ENOENT)
                        return ctl_fail_no_pool(pool);
                if (r < 0)
                        return ctl_fail(r, "Failed to find the socket of pool %s: %m", pool);
                address = found;
        }

        r = exchange_connect(address, options->timeout, ret_fd);
        if (r == -EINVAL) {
                (void) ctl_fail(0, "--socket takes an absolute path or HOST:PORT, not \"%s\".", address);
                return CTL_USAGE;
        }
        if (r == -ETIMEDOUT)
                return ctl_fail(0, "Nobody answered at %s within %s.", address,
                                format_usec(timeout, options->timeout));
        if (r < 0)
                return ctl_fail(r, "Failed to connect to %s: %m", address);
        return CTL_SUCCESS;
}

/* The verdict on what came back. */
static CtlExit judge_answer(const char *pool, int r, const Answer *answer)
{
        if (r == -ECONNRESET)
                return ctl_fail(0,
                                "Request to pool %s failed: the connection was closed before the answer "
                                "ended.",
                                pool);
        if (r < 0)
                return ctl_fail(r, "Request to pool %s failed: %m", pool);
        if (r != FCGI_REQUEST_COMPLETE)
                return ctl_fail(0, "Request to pool %s was refused with FastCGI status %d.", pool, r);
        if (!answer->head_ended)
                return ctl_fail(0, "The answer of pool %s has no end of its headers.", pool);
        return answer->status >= 200 && answer->status < 400 ? CTL_SUCCESS : CTL_FAILURE;
}

CtlExit verb_request(const Options *options, size_t n_args _unused_, char **args)
{
        _cleanup_(params_freep) Params *params = NULL;
        _cleanup_(fd_closep) int body_fd = -EBADF, fd = -EBADF;
        AnswerOutput output = {
                .include = options->include,
                .terminal = isatty(STDOUT_FILENO) > 0,
                .out.f = stdout,
                .errors.f = stderr,
        };
        const ExchangeSink sink = { on_output, on_stderr, &output };
        const char *pool = ctl_pool_argument(args[0]);
        char timeout[PARSE_FORMAT_MAX];
        usec_t deadline;
        CtlExit status;
        int r;

        if (!pool_name_valid(pool))
                return ctl_fail_no_pool(pool);
        r = open_body(options->body, &body_fd);
        if (r < 0)
                return ctl_fail(r, "Failed to read %s: %m", options->body);
        r = make_params(options, args[1], body_fd, &params);
        if (r < 0)
                return ctl_fail(r, "Failed to make the request: %m");
        deadline = usec_add(now_monotonic(), options->timeout);
        status = connect_pool(options, pool, &fd);
        if (status != CTL_SUCCESS)
                return status;

        r = exchange_run(fd, params, body_fd, deadline, &sink);
        if (output.terminal)
                escaped_end_line(&output.out);
        if (r == -ETIMEDOUT)
                status = ctl_fail(0, "Request to pool %s failed: the answer did not end within %s.", pool,
                                  format_usec(timeout, options->timeout));
        else
                status = judge_answer(pool, r, &output.answer);
        answer_clear(&output.answer);
        return status;
}
