/* SPDX-License-Identifier: MIT */

/* How many messages may be under way: no user keeps the others from sending. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sendmail/slots.h"

#define USERS 1000

/* Many users who want all that they can get, in turn; then one who comes later. */
static size_t take_all(size_t n_users, MailLoad *all)
{
        static MailLoad users[USERS];
        bool more = true;

        *all = (MailLoad){};
        memset(users, 0, sizeof users);
        while (more) {
                more = false;
                for (size_t i = 0; i < n_users; i++)
                        if (mail_may_run(all, &users[i])) {
                                users[i].running++;
                                all->running++;
                                more = true;
                        }
        }
        return users[0].running;
}

static void test_running(void **state)
{
        static const struct {
                size_t users, each;
                bool room;
        } cases[] = {
                { 1, MAIL_RUNNING_USER_MAX, true },
                { 8, MAIL_RUNNING_USER_MAX, true },
                { 50, 5, true },
                { 100, 3, false },
                { USERS, 1, false },
        };

        (void) state;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                MailLoad all;
                size_t each = take_all(cases[i].users, &all);

                if (cases[i].room)
                        assert_true(mail_may_run(&all, &(MailLoad){}));
                assert_true(all.running <= MAIL_RUNNING_MAX);
                assert_true(each >= 1 && each <= cases[i].each);
        }
}

static void test_a_user_alone(void **state)
{
        MailLoad load = {};

        (void) state;
        for (; mail_may_run(&load, &load); load.running++)
                ;
        assert_int_equal(load.running, MAIL_RUNNING_USER_MAX);
        for (; mail_may_wait(&load, &load); load.waiting++)
                ;
        assert_int_equal(load.waiting, MAIL_WAITING_USER_MAX);
        assert_true(mail_may_wait(&load, &(MailLoad){}));
        assert_true(mail_may_run(&load, &(MailLoad){}));
}

static void test_nothing_is_free(void **state)
{
        (void) state;
        assert_false(mail_may_run(&(MailLoad){ .running = MAIL_RUNNING_MAX }, &(MailLoad){}));
        assert_false(mail_may_run(&(MailLoad){ .running = MAIL_RUNNING_MAX + 1 }, &(MailLoad){}));
        assert_true(mail_may_run(&(MailLoad){ .running = MAIL_RUNNING_MAX - 1 }, &(MailLoad){}));
        assert_false(mail_may_wait(&(MailLoad){ .waiting = MAIL_WAITING_MAX }, &(MailLoad){}));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_running),
                cmocka_unit_test(test_a_user_alone),
                cmocka_unit_test(test_nothing_is_free),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
