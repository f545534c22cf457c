/* SPDX-License-Identifier: MIT */

/* What systemd is told as a pool's life goes on, with a socket in systemd's place. */

#include "helpers/unit.h"

#include <sys/socket.h>

#include "helpers/directory.h"
#include "helpers/journal.h"
#include "helpers/text.h"
#include "manager/face/notify.h"

#define T0 (1000 * USEC_PER_SEC)
#define S USEC_PER_SEC
#define EXTENDED "EXTEND_TIMEOUT_USEC=30000000"
#define FIGURES(state) "STATUS=" state ": 0 active, 0 idle, 0 queued, 0 requests, 0.0/s, 0 slow, "

typedef struct Fixture {
        Directory directory;
        int systemd;
        Pool pool; /* which has no generation yet */
        Notify *notify;
} Fixture;

static void on_change(void *userdata _unused_)
{
}

static int fixture_open(void **state)
{
        Fixture *f = calloc(1, sizeof *f);
        _cleanup_(freep) char *path = NULL;

        assert_non_null(f);
        directory_make(&f->directory);
        path = directory_path(&f->directory, "notify");
        f->systemd = journal_bind(path);
        assert_int_equal(setenv("NOTIFY_SOCKET", path, true), 0);
        f->pool.name = "www";
        f->pool.listen.control = -EBADF;
        assert_int_equal(sd_event_new(&f->pool.event), 0);
        assert_int_equal(parking_new(f->pool.event, on_change, NULL, &f->pool.parking), 0);
        assert_int_equal(queue_new(&f->pool.listen, f->pool.parking, &f->pool.queue), 0);
        assert_int_equal(notify_new(&f->pool, &f->notify), 0);
        *state = f;
        return 0;
}

static int fixture_close(void **state)
{
        Fixture *f = *state;

        notify_free(f->notify);
        queue_free(f->pool.queue);
        parking_free(f->pool.parking);
        sd_event_unref(f->pool.event);
        fd_close(f->systemd);
        directory_remove(&f->directory);
        free(f);
        return 0;
}

/* The next thing that systemd was told begins so; NULL for nothing. */
static void assert_told(Fixture *f, const char *expected)
{
        char text[2048] = "";
        bool told = journal_receive(f->systemd, text, sizeof text);

        if (!expected && told)
                fail_msg("told \"%s\"", text);
        if (expected && !startswith(text, expected))
                fail_msg("\"%s\", not \"%s\"", text, expected);
}

/* A whole life: what is told once, what goes on, and when the next look is due. */
static void test_life(void **state)
{
        Fixture *f = *state;
        Pool *p = &f->pool;

        p->life.state = POOL_STARTING;
        assert_int_equal(notify_look(f->notify, T0), T0 + 10 * S);
        assert_told(f, EXTENDED);
        assert_told(f, FIGURES("starting"));
        assert_told(f, NULL);

        p->life.state = POOL_RUNNING;
        assert_int_equal(notify_look(f->notify, T0 + S / 2), USEC_INFINITY);
        assert_told(f, "READY=1");
        assert_told(f, FIGURES("running"));
        assert_told(f, NULL);

        assert_int_equal(notify_look(f->notify, T0 + 5 * S), USEC_INFINITY);
        assert_told(f, NULL);

        /* systemd waits for a reload that somebody asked for, not for one that replaces a template. */
        p->life.state = POOL_RELOADING;
        p->life.reason = RELOAD_REPLACE;
        assert_int_equal(notify_look(f->notify, T0 + 6 * S), USEC_INFINITY);
        assert_told(f, FIGURES("reloading"));
        assert_told(f, NULL);
        p->life.reason = RELOAD_REQUESTED;
        assert_int_equal(notify_look(f->notify, T0 + 7 * S), T0 + 17 * S);
        assert_told(f, "RELOADING=1\nMONOTONIC_USEC=");
        assert_told(f, EXTENDED);
        assert_told(f, NULL);
        p->life.state = POOL_RUNNING;
        assert_int_equal(notify_look(f->notify, T0 + 8 * S), USEC_INFINITY);
        assert_told(f, "READY=1");
        assert_told(f, FIGURES("running"));

        p->life.state = POOL_DRAINING;
        assert_int_equal(notify_look(f->notify, T0 + 9 * S), T0 + 19 * S);
        assert_told(f, "STOPPING=1");
        assert_told(f, EXTENDED);
        assert_told(f, FIGURES("draining"));
        p->life.state = POOL_STOPPING;
        assert_int_equal(notify_look(f->notify, T0 + 10 * S), USEC_INFINITY);
        assert_told(f, FIGURES("stopping"));
        assert_told(f, NULL);
}

/* Figures are told once a second, and where one has changed; the health at once. */
static void test_figures(void **state)
{
        Fixture *f = *state;
        Pool *p = &f->pool;

        p->life.state = POOL_RUNNING;
        (void) notify_look(f->notify, T0);
        assert_told(f, "READY=1");
        assert_told(f, FIGURES("running"));

        p->totals.past.requests = 30;
        p->n_changes++;
        assert_int_equal(notify_look(f->notify, T0 + S - 1), T0 + S);
        assert_told(f, NULL);
        assert_int_equal(notify_look(f->notify, T0 + 2 * S), USEC_INFINITY);
        assert_told(f, "STATUS=running: 0 active, 0 idle, 0 queued, 30 requests, 15.0/s, ");

        /* No request came for a while: that is another rate. */
        p->n_changes++;
        assert_int_equal(notify_look(f->notify, T0 + 4 * S), USEC_INFINITY);
        assert_told(f, "STATUS=running: 0 active, 0 idle, 0 queued, 30 requests, 0.0/s, ");
        p->n_changes++;
        assert_int_equal(notify_look(f->notify, T0 + 6 * S), USEC_INFINITY);
        assert_told(f, NULL);

        p->health.reason = "nobody serves";
        (void) notify_look(f->notify, T0 + 6 * S + 1);
        assert_told(f, "STATUS=running: 0 active, 0 idle, 0 queued, 30 requests, 0.0/s, ");
        assert_told(f, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_life, fixture_open, fixture_close),
                cmocka_unit_test_setup_teardown(test_figures, fixture_open, fixture_close),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
