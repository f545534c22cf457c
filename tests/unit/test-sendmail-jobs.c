/* SPDX-License-Identifier: MIT */

/* The books of php-pool-sendmaild: counts of all and of each user, and the order of arrival. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sendmail/jobs.h"

static Job *enter(Jobs *jobs, uid_t uid)
{
        Job *job = calloc(1, sizeof *job);

        assert_non_null(job);
        *job = (Job) { .peer.uid = uid, .connection = -EBADF, .running = -EBADF };
        assert_int_equal(jobs_enter(jobs, job), 0);
        job_set_state(job, JOB_WAITING);
        return job;
}

static void assert_load(const MailLoad *load, size_t waiting, size_t running, size_t lingering)
{
        assert_int_equal(load->waiting, waiting);
        assert_int_equal(load->running, running);
        assert_int_equal(load->lingering, lingering);
}

static void test_counts(void **state _unused_)
{
        Jobs jobs = {};
        Job *first = enter(&jobs, 1), *second = enter(&jobs, 1), *other = enter(&jobs, 2);

        assert_load(&jobs.load, 3, 0, 0);
        assert_load(&jobs_find_user(&jobs, 1)->load, 2, 0, 0);
        assert_load(&jobs_find_user(&jobs, 2)->load, 1, 0, 0);

        job_set_state(first, JOB_RUNNING);
        job_set_state(other, JOB_RUNNING);
        job_set_state(other, JOB_LINGERING);
        assert_load(&jobs.load, 1, 1, 1);
        assert_load(&jobs_find_user(&jobs, 1)->load, 1, 1, 0);
        assert_load(&jobs_find_user(&jobs, 2)->load, 0, 0, 1);

        job_set_state(other, JOB_ENDING); /* which is not counted any more */
        assert_load(&jobs.load, 1, 1, 0);

        job_free(first);
        job_free(second);
        assert_null(jobs_find_user(&jobs, 1));
        assert_ptr_equal(jobs.first, other);
        job_free(other);
        assert_load(&jobs.load, 0, 0, 0);
        assert_null(jobs.users);
}

static void test_order(void **state _unused_)
{
        Jobs jobs = {};
        Job *list[] = { enter(&jobs, 1), enter(&jobs, 2), enter(&jobs, 1) };

        assert_ptr_equal(jobs.first, list[0]);
        assert_ptr_equal(list[0]->next, list[1]);
        job_free(list[1]);
        assert_ptr_equal(list[0]->next, list[2]);
        assert_ptr_equal(list[2]->previous, list[0]);
        job_free(list[2]);
        assert_ptr_equal(jobs.last, list[0]);
        job_free(list[0]);
        assert_null(jobs.first);
        assert_null(jobs.last);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_counts),
                cmocka_unit_test(test_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
