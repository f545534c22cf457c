/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * PHP in the test's own process: scripts in a directory of the test, requests and answers in memory, and
 * what goes to the journal caught on its way. Include it behind cmocka.h, in one file of the test only.
 */

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "worker/php/php.h"

#include "journal-helpers.h"

#define VARS_MAX 16
#define TEXT_MAX (256 * 1024)

typedef struct Text {
        char bytes[TEXT_MAX]; /* a string */
        size_t size;
} Text;

/* One request. What is not set is a GET over a Unix socket by a client that takes everything. */
typedef struct Exchange {
        const char *script;         /* "hello.php" */
        const char *vars[VARS_MAX]; /* "NAME=value", over the usual ones; "!NAME" for one that is not sent */
        const char *body;
        bool tcp;
        bool body_breaks; /* the client goes away at the body's end */
        size_t takes;     /* bytes of answer that the client takes, 0 for all */

        RequestHeader *wanted; /* of the answer, for the log */
        size_t n_wanted;

        Request request;
        size_t body_pos;
        Text out, err;
        size_t flushes, finishes, releases;
        PhpOutcome outcome;
} Exchange;

static struct {
        char dir[64];
        Params *params;
        Config *config;
        int journal_fd;
        Text journal; /* records of the request, a field a line */
} env;

static void text_add(Text *t, const void *bytes, size_t size)
{
        assert_true(t->size + size < sizeof t->bytes);
        memcpy(t->bytes + t->size, bytes, size);
        t->size += size;
        t->bytes[t->size] = 0;
}

/* Takes what is there; where nobody called catch_journal(), there is no record. */
static void read_journal(void)
{
        static char text[JOURNAL_RECORD_MAX + 1];

        env.journal.size = 0;
        env.journal.bytes[0] = 0;
        while (env.journal_fd > 0 && journal_receive(env.journal_fd, text, sizeof text))
                text_add(&env.journal, text, strlen(text));
}

static Exchange *exchange_of(Request *request)
{
        return (Exchange *) ((char *) request - offsetof(Exchange, request));
}

static ssize_t on_read_body(Request *request, void *buffer, size_t size)
{
        Exchange *x = exchange_of(request);
        size_t left = x->body ? strlen(x->body) - x->body_pos : 0;

        if (left == 0)
                return x->body_breaks ? -EPIPE : 0;
        /* In pieces, as records come. */
        size = MIN(MIN(size, left), (size_t) 1000);
        memcpy(buffer, x->body + x->body_pos, size);
        x->body_pos += size;
        return (ssize_t) size;
}

static int on_write(Request *request, const void *bytes, size_t size)
{
        Exchange *x = exchange_of(request);

        if (x->takes > 0 && x->out.size + size > x->takes)
                return -EPIPE;
        text_add(&x->out, bytes, size);
        return 0;
}

static int on_write_error(Request *request, const void *bytes, size_t size)
{
        text_add(&exchange_of(request)->err, bytes, size);
        return 0;
}

static int on_flush(Request *request)
{
        exchange_of(request)->flushes++;
        return 0;
}

static int on_finish(Request *request)
{
        request->finished = true;
        exchange_of(request)->finishes++;
        return 0;
}

static void on_release(Request *request)
{
        assert_true(request->finished);
        exchange_of(request)->releases++;
}

static void on_script_known(Request *request _unused_, const char *script)
{
        assert_non_null(script);
}

static void on_script_ended(Request *request _unused_)
{
}

static const RequestOps memory_ops = {
        .read_body = on_read_body,
        .write = on_write,
        .write_error = on_write_error,
        .flush = on_flush,
        .finish = on_finish,
        .release = on_release,
        .script_known = on_script_known,
        .script_ended = on_script_ended,
};

static void set_var(const char *variable)
{
        const char *value = strchr(variable, '=');

        if (variable[0] == '!') {
                params_unset(env.params, variable + 1);
                return;
        }
        assert_non_null(value);
        assert_int_equal(
                params_set(env.params, variable, (size_t) (value - variable), value + 1, strlen(value + 1)),
                0);
}

/* Sets a variable to the two strings behind each other. */
static void set_joined(const char *name, const char *a, const char *b)
{
        char value[1024];

        (void) snprintf(value, sizeof value, "%s%s", a, b);
        assert_int_equal(params_set(env.params, name, strlen(name), value, strlen(value)), 0);
}

/* Runs the request; *x then has the answer. */
static void run(Exchange *x)
{
        params_clear(env.params);
        read_journal(); /* of the time between requests */

        set_var("FCGI_ROLE=RESPONDER");
        set_var("REQUEST_METHOD=GET");
        set_joined("DOCUMENT_ROOT", env.dir, "");
        set_joined("SCRIPT_NAME", "/", x->script);
        set_joined("REQUEST_URI", params_get(env.params, "SCRIPT_NAME", NULL), "?q");
        set_joined("SCRIPT_FILENAME", env.dir, params_get(env.params, "SCRIPT_NAME", NULL));
        for (size_t i = 0; i < VARS_MAX && x->vars[i]; i++)
                set_var(x->vars[i]);

        x->request = (Request) {
                .ops = &memory_ops,
                .params = env.params,
                .unix_socket = !x->tcp,
                .wanted = x->wanted,
                .n_wanted = x->n_wanted,
        };
        x->outcome = php_serve(&x->request);
        assert_true(x->request.finished);
        read_journal();
}

/* What stands behind the empty line. */
static const char *body_of(const Exchange *x)
{
        const char *p = strstr(x->out.bytes, "\r\n\r\n");

        assert_non_null(p);
        return p + 4;
}

static void write_file(const char *name, const char *content)
{
        char path[1024], *slash;
        FILE *f;

        (void) snprintf(path, sizeof path, "%s/%s", env.dir, name);
        slash = strrchr(path, '/');
        *slash = 0;
        (void) mkdir(path, 0755);
        *slash = '/';
        f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(content, f) >= 0);
        assert_int_equal(fclose(f), 0);
}

/* The log goes to a socket of ours: log_open() takes standard error for the journal. */
static _unused_ void catch_journal(void)
{
        static char path[sizeof env.dir + 8];
        char stream[64];
        struct stat st;

        assert_int_equal(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        assert_int_equal(setenv("JOURNAL_STREAM", stream, true), 0);
        (void) snprintf(path, sizeof path, "%s/journal", env.dir);
        env.journal_fd = journal_bind(path);
        log_set_journal(path);
        log_open();
        assert_true(log_to_journal());
}

static void remove_tree(const char *path)
{
        struct dirent *entry;
        DIR *d = opendir(path);

        while (d && (entry = readdir(d))) {
                char child[1024];

                if (streq(entry->d_name, ".") || streq(entry->d_name, ".."))
                        continue;
                (void) snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
                if (unlink(child) < 0)
                        remove_tree(child);
        }
        if (d)
                (void) closedir(d);
        (void) rmdir(path);
}

/* A directory with these scripts, {name, text}, and settings that name no file which is there. */
static void env_open(const char *const scripts[][2], size_t n)
{
        static char ini[128], scan[128];

        strcpy(env.dir, "/tmp/php-pool-test-XXXXXX");
        assert_non_null(mkdtemp(env.dir));
        for (size_t i = 0; i < n; i++)
                write_file(scripts[i][0], scripts[i][1]);
        (void) snprintf(ini, sizeof ini, "%s/php.ini", env.dir);
        (void) snprintf(scan, sizeof scan, "%s/empty", env.dir);

        assert_int_equal(params_new(&env.params), 0);
        assert_int_equal(config_new(&env.config), 0);
        free(env.config->php_ini);
        free(env.config->php_ini_scan_dir);
        env.config->php_ini = ini;
        env.config->php_ini_scan_dir = scan;
}

static int env_start(void)
{
        const char *why = NULL;

        if (php_start(env.config, &why) < 0)
                fail_msg("%s", why);
        return php_worker_start(-EBADF);
}

static int tear_down(void **state _unused_)
{
        php_worker_stop();
        params_free(env.params);
        remove_tree(env.dir);
        return 0;
}
