/* SPDX-License-Identifier: MIT */

/* Where lines of the access log go, and what becomes of those that do not get there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/journal.h"
#include "base/log.h"
#include "base/messages.h"
#include "helpers/directory.h"
#include "helpers/journal.h"
#include "helpers/text.h"
#include "config/settings.h"
#include "worker/serve/access-log.h"

#include "base/text.h"

typedef struct Fixture {
        Directory directory;
        char path[64]; /* of the file, or of the journal's socket */
        Config *config;
        Params *params;
        Request request;
        AccessLog *log;
        int journal; /* in journald's place */
} Fixture;

static void open_log(Fixture *f, const char *target, const char *format)
{
        const char *path = NULL;

        set_string(&f->config->access_log, target);
        set_string(&f->config->access_format, format);
        assert_int_equal(access_log_new(f->config, "www", &f->log), 0);
        assert_int_equal(access_log_open(f->log, &path), 0);
        access_log_attach(f->log);
}

static void log_to(const char *target)
{
        assert_int_equal(setenv("PHP_POOL_LOG", target, true), 0);
        log_open();
}

static int set_up(void **state)
{
        Fixture *f = calloc(1, sizeof *f);

        assert_non_null(f);
        directory_make(&f->directory);
        (void) snprintf(f->path, sizeof f->path, "%s/log", f->directory.path);
        assert_int_equal(config_new(&f->config), 0);
        assert_int_equal(params_new(&f->params), 0);
        f->request = (Request) { .params = f->params, .script = "/srv/a.php", .name = "/a.php" };
        set_param(f->params, "REQUEST_METHOD", "GET");
        set_param(f->params, "REQUEST_URI", "/a.php?x\ny");
        f->journal = -EBADF;
        log_to("stderr");
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        Fixture *f = *state;

        access_log_free(f->log);
        fd_close(f->journal);
        directory_remove(&f->directory);
        params_free(f->params);
        config_free(f->config);
        free(f);
        return 0;
}

static void write_request(Fixture *f, int status)
{
        AccessEntry e = { .request = &f->request, .status = status, .duration = 1234 };

        access_log_begin(f->log, &f->request);
        access_log_write(f->log, &e);
}

static void assert_file(const Fixture *f, const char *expected)
{
        _cleanup_(fd_closep) int fd = open(f->path, O_RDONLY | O_CLOEXEC);
        _cleanup_(freep) void *data = NULL;

        assert_true(fd >= 0);
        assert_int_equal(io_read_file(fd, 1 << 20, &data, NULL), 0);
        assert_string_equal(data, expected);
}

static void test_off(void **state)
{
        Fixture *f = *state;
        const char *path;

        assert_int_equal(access_log_new(f->config, "www", &f->log), 0);
        assert_null(f->log);
        assert_int_equal(access_log_open(NULL, &path), 0);
        access_log_attach(NULL);
        assert_false(access_log_wants_cpu(NULL));
        assert_false(access_log_wants_peer(NULL));
        write_request(f, 200);
        assert_null(f->request.wanted);
        access_log_detach(NULL);
}

static void test_wishes(void **state)
{
        Fixture *f = *state;

        open_log(f, "journal", "%{X-Foo}o %{user}C %{X-Bar}o");
        assert_true(access_log_wants_cpu(f->log));
        assert_false(access_log_wants_peer(f->log));
        access_log_begin(f->log, &f->request);
        assert_int_equal(f->request.n_wanted, 2);
        assert_string_equal(f->request.wanted[0].name, "X-Foo");
        assert_string_equal(f->request.wanted[1].name, "X-Bar");

        /* Nothing of one request is in the next. */
        strcpy(f->request.wanted[0].value, "old");
        access_log_begin(f->log, &f->request);
        assert_string_equal(f->request.wanted[0].value, "");

        access_log_free(f->log);
        open_log(f, "journal", "%R");
        assert_false(access_log_wants_cpu(f->log));
        assert_true(access_log_wants_peer(f->log));
}

static void test_file(void **state)
{
        Fixture *f = *state;
        char expected[128];
        struct stat st;

        strv_free(f->config->access_suppress_path);
        f->config->access_suppress_path = calloc(2, sizeof(char *));
        assert_non_null(f->config->access_suppress_path);
        set_string(&f->config->access_suppress_path[0], "/health");
        (void) umask(0);
        open_log(f, f->path, "%n %p %P %s");
        assert_int_equal(stat(f->path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);

        write_request(f, 200);
        write_request(f, 404);
        (void) snprintf(expected, sizeof expected, "www %d %d 200\nwww %d %d 404\n", getpid(), getppid(),
                        getpid(), getppid());
        assert_file(f, expected);

        /* Another generation appends; what is suppressed is not there. */
        access_log_free(f->log);
        open_log(f, f->path, "again %s");
        write_request(f, 200);
        f->request.name = "/health";
        write_request(f, 200);
        write_request(f, 500);
        strcat(expected, "again 200\nagain 500\n");
        assert_file(f, expected);
}

static void test_file_cannot_be_opened(void **state)
{
        Fixture *f = *state;
        const char *path = NULL;

        set_string(&f->config->access_log, "/nowhere/at/all");
        assert_int_equal(access_log_new(f->config, "www", &f->log), 0);
        assert_int_equal(access_log_open(f->log, &path), -ENOENT);
        assert_string_equal(path, "/nowhere/at/all");
}

/* Standard error is a file while this runs. */
static void run_with_stderr(Fixture *f, void (*run)(Fixture *f), void **ret)
{
        int saved = dup(STDERR_FILENO), file = open(f->directory.path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

        assert_true(saved >= 0 && file >= 0);
        assert_true(dup2(file, STDERR_FILENO) >= 0);
        run(f);
        assert_true(dup2(saved, STDERR_FILENO) >= 0);
        fd_close(saved);
        assert_int_equal(io_read_file(file, 1 << 20, ret, NULL), 0);
        fd_close(file);
}

static void fill_disk(Fixture *f)
{
        for (size_t i = 0; i < 3; i++)
                write_request(f, 200);
        access_log_detach(f->log);
        access_log_detach(f->log);
}

/* The first loss is told at once, the others together. */
static void test_full_disk(void **state)
{
        _cleanup_(freep) void *told = NULL;
        Fixture *f = *state;

        open_log(f, "/dev/full", "%s");
        run_with_stderr(f, fill_disk, &told);
#define TOLD(n)                                                                                             \
        "php-pool: warning: " n " lines of the access log /dev/full were lost: No space left on device\n"
        assert_string_equal(told, TOLD("1") TOLD("2"));
}

static void fill_pipe(Fixture *f)
{
        for (size_t i = 0; i < JOURNAL_MANY; i++)
                write_request(f, 200);
        access_log_detach(f->log);
}

/* Nobody reads: nobody waits. */
static void test_full_pipe(void **state)
{
        _cleanup_(freep) void *told = NULL;
        Fixture *f = *state;
        int reader;

        assert_int_equal(mkfifo(f->path, 0600), 0);
        reader = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        open_log(f, f->path, "%s");
        run_with_stderr(f, fill_pipe, &told);
        assert_non_null(strstr(told, "were lost: Resource temporarily unavailable\n"));
        fd_close(reader);
}

/* ---- The journal ---- */

static void open_journal_log(Fixture *f)
{
        log_to("journal");
        f->journal = journal_bind(f->path);
        open_log(f, "journal", "%m %r %s");
        log_set_journal(f->path);
}

static void test_journal(void **state)
{
        char text[4096], expected[4096];
        Fixture *f = *state;

        assert_int_equal(log_set_context("PHP_POOL", "www"), 0);
        open_journal_log(f);
        write_request(f, 404);
        assert_true(journal_receive(f->journal, text, sizeof text));
        (void) snprintf(expected, sizeof expected,
                        "MESSAGE=GET /a.php 404\nPRIORITY=6\nSYSLOG_IDENTIFIER=php-pool\nMESSAGE_ID=%s\n"
                        "PHP_POOL=www\nPHP_SCRIPT=/srv/a.php\nREQUEST_METHOD=GET\n"
                        "REQUEST_URI\n\n......./a.php?x\ny\nPHP_REQUEST_USEC=1234\nHTTP_STATUS=404\n",
                        MESSAGE_ID(ACCESS));
        assert_string_equal(text, expected);
        assert_false(journal_receive(f->journal, text, sizeof text));
}

/* A journal that is stopped loses records, holds nobody, and is told how many once it goes on. */
static void test_stopped_journal(void **state)
{
        char text[4096], expected[64];
        size_t taken = 0, told = 0;
        Fixture *f = *state;

        open_journal_log(f);
        for (size_t i = 0; i < JOURNAL_MANY; i++)
                write_request(f, 200);
        while (journal_receive(f->journal, text, sizeof text)) {
                assert_non_null(strstr(text, MESSAGE_ID(ACCESS)));
                taken++;
        }
        assert_true(taken > 0 && taken < JOURNAL_MANY);

        write_request(f, 200);
        write_request(f, 200);
        (void) snprintf(expected, sizeof expected, "\nPHP_ACCESS_LOST=%zu\n", JOURNAL_MANY - taken);
        while (journal_receive(f->journal, text, sizeof text)) {
                if (strstr(text, MESSAGE_ID(ACCESS)))
                        continue;
                assert_non_null(strstr(text, MESSAGE_ID(ACCESS_LOST)));
                assert_non_null(strstr(text, expected));
                told++;
        }
        assert_int_equal(told, 1);
}

static void write_twice(Fixture *f)
{
        write_request(f, 200);
        write_request(f, 200);
        access_log_detach(f->log);
}

/* Where there is none, standard error has it. */
static void test_no_journal(void **state)
{
        _cleanup_(freep) void *told = NULL;
        Fixture *f = *state;

        open_log(f, "journal", "%s");
        log_set_journal(f->path);
        run_with_stderr(f, write_twice, &told);
#define TOLD_OF_JOURNAL                                                                                     \
        "php-pool: warning: 1 lines of the access log were lost: No such file or directory\n"
        assert_string_equal(told, TOLD_OF_JOURNAL TOLD_OF_JOURNAL);
}

/* A long request is logged, cut. */
static void test_long_fields(void **state)
{
        static char uri[100000], text[JOURNAL_RECORD_MAX + 1];
        Fixture *f = *state;

        memset(uri, 'u', sizeof uri - 1);
        open_journal_log(f);
        set_param(f->params, "REQUEST_URI", uri);
        f->request.name = uri;
        write_request(f, 200);
        assert_true(journal_receive(f->journal, text, sizeof text));
        assert_non_null(strstr(text, "\nREQUEST_URI=uuu"));
        assert_non_null(strstr(text, "\nHTTP_STATUS=200\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(test_off),
                TEST(test_wishes),
                TEST(test_file),
                TEST(test_file_cannot_be_opened),
                TEST(test_full_disk),
                TEST(test_full_pipe),
                TEST(test_journal),
                TEST(test_stopped_journal),
                TEST(test_no_journal),
                TEST(test_long_fields),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
