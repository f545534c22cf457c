/* SPDX-License-Identifier: MIT */

/*
 * What clients of the status sockets are answered, and the bound on what they leave with the manager. The
 * pages are the test's own: as large as those of the largest pools.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "helpers/fastcgi.h"
#include "manager/face/status-server.h"

#define PAGE_SIZE (1024U * 1024U)

static size_t page_size;
static DumpFormat asked_format;
static bool asked_full;
static unsigned n_asked;
static int page_error;

static int on_page(void *userdata _unused_, DumpFormat format, bool full, char **ret, size_t *ret_size)
{
        char *page;

        n_asked++;
        asked_format = format;
        asked_full = full;
        if (page_error < 0)
                return page_error;
        page = malloc(page_size);

        assert_non_null(page);
        memset(page, 'p', page_size);
        *ret = page;
        *ret_size = page_size;
        return 0;
}

/* NULL where a generation is neither there nor coming: a Unix socket's clients see the page all the same. */
static const Config *current;

static const Config *on_settings(void *userdata _unused_)
{
        return current;
}

typedef struct Fixture {
        sd_event *event;
        int listener;
        StatusServer *server;
        struct sockaddr_un address;
        int clients[STATUS_CLIENTS_MAX];
} Fixture;

static int set_up(void **state)
{
        Fixture *f = calloc(1, sizeof *f);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_non_null(f);
        assert_true(fd >= 0);
        f->address.sun_family = AF_UNIX;
        (void) snprintf(f->address.sun_path, sizeof f->address.sun_path, "/tmp/php-pool-test-status-%d",
                        getpid());
        (void) unlink(f->address.sun_path);
        assert_int_equal(bind(fd, (struct sockaddr *) &f->address, sizeof f->address), 0);
        assert_int_equal(listen(fd, STATUS_CLIENTS_MAX), 0);

        assert_true(sd_event_new(&f->event) >= 0);
        f->listener = fd;
        assert_int_equal(status_server_new(f->event, &fd, 1, &(StatusServerPool) { on_page, on_settings, f },
                                           &f->server),
                         0);
        for (size_t i = 0; i < ELEMENTSOF(f->clients); i++)
                f->clients[i] = -EBADF;
        page_size = PAGE_SIZE;
        current = NULL;
        n_asked = 0;
        page_error = 0;
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(f->clients); i++)
                fd_close(f->clients[i]);
        status_server_free(f->server);
        sd_event_unref(f->event);
        fd_close(f->listener);
        (void) unlink(f->address.sun_path);
        free(f);
        return 0;
}

/* Everything that the server can do now. */
static void turn(Fixture *f)
{
        while (sd_event_run(f->event, 0) > 0)
                ;
}

/* Asks and runs the server until it answers: it may let a client wait whose like come in great numbers. */
static void ask(Fixture *f, size_t i)
{
        Bytes b = {};
        char c;

        if (f->clients[i] < 0) {
                f->clients[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
                assert_int_equal(connect(f->clients[i], (struct sockaddr *) &f->address, sizeof f->address),
                                 0);
        }
        add_request(&b, 1, true, NULL, 0, 0);
        send_bytes(f->clients[i], &b);
        bytes_clear(&b);
        while (recv(f->clients[i], &c, 1, MSG_PEEK | MSG_DONTWAIT) != 1)
                assert_true(sd_event_run(f->event, USEC_INFINITY) >= 0);
        turn(f);
}

/* Reads the beginning of an answer: whether it is the page, and not status 503. */
static bool is_page(Fixture *f, size_t i)
{
        char head[FCGI_HEADER_SIZE + 12];

        assert_int_equal(recv(f->clients[i], head, sizeof head, MSG_WAITALL), sizeof head);
        return memcmp(head + FCGI_HEADER_SIZE, "Status: 503 ", 12) != 0;
}

/* Reads what there is and what follows. */
static size_t read_all(Fixture *f, size_t i)
{
        char buffer[65536];
        size_t size = 0;
        ssize_t n;

        while ((n = recv(f->clients[i], buffer, sizeof buffer, MSG_DONTWAIT)) > 0) {
                size += (size_t) n;
                turn(f);
        }
        return size;
}

static void test_pending(void **state)
{
        size_t n_pages = 0, n_refused = 0;
        Fixture *f = *state;

        for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
                ask(f, i);
        for (size_t i = STATUS_CLIENTS_MAX; i-- > 0;)
                if (is_page(f, i))
                        n_pages++;
                else
                        n_refused++;
        /* The kernel holds a part of each. */
        assert_true(n_pages >= STATUS_PENDING_MAX / PAGE_SIZE &&
                    n_pages <= 2 * STATUS_PENDING_MAX / PAGE_SIZE);
        assert_int_equal(n_pages + n_refused, STATUS_CLIENTS_MAX);

        /* Once they have been taken there is room again, on the same connections. */
        for (size_t i = 0; i < STATUS_CLIENTS_MAX; i++)
                (void) read_all(f, i);
        ask(f, STATUS_CLIENTS_MAX - 1);
        assert_true(is_page(f, STATUS_CLIENTS_MAX - 1));
}

/* The only one is given whatever its size. */
static void test_large_page(void **state)
{
        Fixture *f = *state;

        page_size = 2 * STATUS_PENDING_MAX;
        ask(f, 0);
        assert_true(is_page(f, 0));
        ask(f, 1);
        assert_false(is_page(f, 1));
        assert_true(read_all(f, 0) > page_size);
        ask(f, 1);
        (void) read_all(f, 1);
        ask(f, 1);
        assert_true(is_page(f, 1));
}

/* A request with these parameters, on a connection that is closed after it. All of the answer. */
static Bytes answer_to(Fixture *f, const char *name, const char *method, const char *query)
{
        _cleanup_(params_freep) Params *params = NULL;
        Bytes request = {}, answer = {};
        uint8_t buffer[65536];
        ssize_t n;
        int fd;

        assert_int_equal(params_new(&params), 0);
        assert_int_equal(params_set(params, "SCRIPT_NAME", 11, name, strlen(name)), 0);
        assert_int_equal(params_set(params, "REQUEST_METHOD", 14, method, strlen(method)), 0);
        assert_int_equal(params_set(params, "QUERY_STRING", 12, query, strlen(query)), 0);
        add_head_of(&request, 1, FCGI_RESPONDER, false, params);
        add_record(&request, FCGI_STDIN, 1, NULL, 0);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &f->address, sizeof f->address), 0);
        send_bytes(fd, &request);
        bytes_clear(&request);
        while ((n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT)) != 0)
                if (n > 0)
                        bytes_add(&answer, buffer, (size_t) n);
                else
                        assert_true(sd_event_run(f->event, USEC_INFINITY) >= 0);
        fd_close(fd);
        return answer;
}

static void test_answers(void **state)
{
        static const char unavailable[] = "Status: 503 Service Unavailable\r\n";
        static const struct {
                const char *name, *method, *query;
                bool settings; /* there are some: ping.path is "/ping" */
                int error;     /* what comes of making a page */
                unsigned n_asked;
                const char *begin;
                DumpFormat format; /* of the page, and of the head */
                bool full;
                const char *body; /* behind the head */
        } cases[] = {
                { "/any", "GET", "", true, 0, 1, "", DUMP_TEXT, false, "ppp" },
                { "/ping", "GET", "", false, 0, 1, "", DUMP_TEXT, false, "ppp" },
                { "/any", "GET", "json", true, 0, 1, "", DUMP_JSON, false, "ppp" },
                { "/any", "POST", "full&json", true, 0, 1, "", DUMP_JSON, true, "ppp" },
                { "/any", "HEAD", "json", true, 0, 0, "", DUMP_JSON, false, "" },
                { "/ping", "GET", "json", true, 0, 0, "", DUMP_TEXT, false, "pong" },
                { "/ping", "HEAD", "", true, 0, 0, "", DUMP_TEXT, false, "" },
                { "/any", "GET", "json", true, -ENOMEM, 1, unavailable, DUMP_TEXT, false, "" },
        };
        _cleanup_(config_freep) Config *config = NULL;
        Fixture *f = *state;

        assert_int_equal(config_new(&config), 0);
        page_size = 3;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char expected[1024];
                Bytes got, records = {};

                current = cases[i].settings ? config : NULL;
                page_error = cases[i].error;
                n_asked = 0;
                got = answer_to(f, cases[i].name, cases[i].method, cases[i].query);
                assert_int_equal(n_asked, cases[i].n_asked);
                if (n_asked > 0 && page_error == 0) {
                        assert_int_equal(asked_format, cases[i].format);
                        assert_int_equal(asked_full, cases[i].full);
                }
                (void) snprintf(expected, sizeof expected, "%s%s%s", cases[i].begin,
                                dump_headers(cases[i].format), cases[i].body);
                add_record(&records, FCGI_STDOUT, 1, expected, strlen(expected));
                add_end(&records, 1);
                assert_int_equal(got.size, records.size);
                assert_memory_equal(got.data, records.data, got.size);
                bytes_clear(&records);
                bytes_clear(&got);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_pending, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_large_page, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_answers, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
