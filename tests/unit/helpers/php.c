/* SPDX-License-Identifier: MIT */

#include <sys/stat.h>
#include <unistd.h>

#include "base/journal.h"
#include "base/log.h"
#include "helpers/journal.h"
#include "helpers/php.h"
#include "helpers/text.h"
#include "helpers/unit.h"

PhpEnvironment env;

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

/* As FastCGI's transport writes it. */
static int on_write_head(Request *request, const Head *head)
{
        Exchange *x = exchange_of(request);
        int r = 0;

        x->status = head->status;
        x->status_said = head->said;
        if (head->said == HEAD_STATUS_FIELD)
                r = on_write(request, "Status:", 7);
        if (head->text && r >= 0)
                r = on_write(request, head->text, strlen(head->text));
        if (head->text && r >= 0)
                r = on_write(request, "\r\n", 2);
        for (size_t i = 0; i < head->n_fields && r >= 0; i++) {
                r = on_write(request, head->fields[i].bytes, head->fields[i].size);
                if (r >= 0)
                        r = on_write(request, "\r\n", 2);
        }
        return r < 0 ? r : on_write(request, "\r\n", 2);
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
        assert_int_equal(request->answer, ANSWER_ENDED);
        exchange_of(request)->finishes++;
        return 0;
}

static void on_release(Request *request)
{
        assert_int_equal(request->answer, ANSWER_ENDED);
        exchange_of(request)->releases++;
}

static void on_script_known(Request *request _unused_, const char *script)
{
        assert_non_null(script);
}

static const RequestOps memory_ops = {
        .read_body = on_read_body,
        .write_head = on_write_head,
        .write = on_write,
        .write_error = on_write_error,
        .flush = on_flush,
        .finish = on_finish,
        .release = on_release,
        .script_known = on_script_known,
};

/* Sets a variable to the two strings behind each other. */
static void set_joined(const char *name, const char *a, const char *b)
{
        char value[1024];

        (void) snprintf(value, sizeof value, "%s%s", a, b);
        set_param(env.params, name, value);
}

void run(Exchange *x)
{
        params_clear(env.params);
        read_journal(); /* of the time between requests */

        set_variable(env.params, "FCGI_ROLE=RESPONDER");
        set_variable(env.params, "REQUEST_METHOD=GET");
        set_joined("DOCUMENT_ROOT", env.directory.path, "");
        set_joined("SCRIPT_NAME", "/", x->script);
        set_joined("REQUEST_URI", params_get(env.params, "SCRIPT_NAME", NULL), "?q");
        set_joined("SCRIPT_FILENAME", env.directory.path, params_get(env.params, "SCRIPT_NAME", NULL));
        for (size_t i = 0; i < VARS_MAX && x->vars[i]; i++)
                set_variable(env.params, x->vars[i]);

        x->request = (Request){
                .ops = &memory_ops,
                .params = env.params,
                .unix_socket = !x->tcp,
                .wanted = x->wanted,
                .n_wanted = x->n_wanted,
        };
        x->outcome = php_serve(&x->request);
        assert_int_equal(x->request.answer, ANSWER_ENDED);
        read_journal();
}

const char *body_of(const Exchange *x)
{
        const char *p = strstr(x->out.bytes, "\r\n\r\n");

        assert_non_null(p);
        return p + 4;
}

void catch_journal(void)
{
        static char path[sizeof env.directory.path + 8];
        char stream[64];
        struct stat st;

        assert_int_equal(fstat(STDERR_FILENO, &st), 0);
        (void) snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long) st.st_dev,
                        (unsigned long long) st.st_ino);
        assert_int_equal(setenv("JOURNAL_STREAM", stream, true), 0);
        (void) snprintf(path, sizeof path, "%s/journal", env.directory.path);
        env.journal_fd = journal_bind(path);
        log_set_journal(path);
        log_open();
        assert_true(log_to_journal());
}

void env_open(const char *const scripts[][2], size_t n)
{
        static char ini[128], scan[128];

        directory_make(&env.directory);
        for (size_t i = 0; i < n; i++)
                directory_write_text(&env.directory, scripts[i][0], scripts[i][1]);
        (void) snprintf(ini, sizeof ini, "%s/php.ini", env.directory.path);
        (void) snprintf(scan, sizeof scan, "%s/empty", env.directory.path);

        assert_int_equal(params_new(&env.params), 0);
        assert_int_equal(config_new(&env.config), 0);
        free(env.config->php_ini);
        free(env.config->php_ini_scan_dir);
        env.config->php_ini = ini;
        env.config->php_ini_scan_dir = scan;
}

int env_start(void)
{
        const char *why = NULL;

        if (php_start(env.config, &why) < 0)
                fail_msg("%s", why);
        return php_worker_start(-EBADF);
}

int env_close(void **state _unused_)
{
        php_worker_stop();
        params_free(env.params);
        directory_remove(&env.directory);
        return 0;
}
