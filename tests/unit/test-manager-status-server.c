/* SPDX-License-Identifier: MIT */

/*
 * The bound on what clients of the status sockets leave with the manager. The pages are the test's own: as
 * large as those of the largest pools.
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
#include "manager/face/page.h"
#include "manager/face/status-server.h"

#define PAGE_SIZE (1024U * 1024U)

static size_t page_size;

int page_render(Manager *m _unused_, DumpFormat format _unused_, bool full _unused_, char **ret,
                size_t *ret_size)
{
        char *page = malloc(page_size);

        assert_non_null(page);
        memset(page, 'p', page_size);
        *ret = page;
        *ret_size = page_size;
        return 0;
}

typedef struct Fixture {
        Manager manager;
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

        assert_true(sd_event_new(&f->manager.event) >= 0);
        f->manager.listen.status[f->manager.listen.n_status++] = fd;
        assert_int_equal(status_server_new(&f->manager, &f->server), 0);
        for (size_t i = 0; i < ELEMENTSOF(f->clients); i++)
                f->clients[i] = -EBADF;
        page_size = PAGE_SIZE;
        *state = f;
        return 0;
}

static int tear_down(void **state)
{
        Fixture *f = *state;

        for (size_t i = 0; i < ELEMENTSOF(f->clients); i++)
                fd_close(f->clients[i]);
        status_server_free(f->server);
        sd_event_unref(f->manager.event);
        fd_close(f->manager.listen.status[0]);
        (void) unlink(f->address.sun_path);
        free(f);
        return 0;
}

/* Everything that the server can do now. */
static void turn(Fixture *f)
{
        while (sd_event_run(f->manager.event, 0) > 0)
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
                assert_true(sd_event_run(f->manager.event, USEC_INFINITY) >= 0);
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

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_pending, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_large_page, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
