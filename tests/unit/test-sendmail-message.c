/* SPDX-License-Identifier: MIT */

/* What php-pool-sendmail and its server say to each other: what comes arrives, and nothing else does. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "sendmail/message.h"

static void check_arguments(char *const *argv)
{
        _cleanup_(freep) char **got = NULL;
        _cleanup_(freep) void *data = NULL;
        size_t size, n = 0;

        assert_int_equal(mail_request_encode(argv, &data, &size), 0);
        assert_int_equal(mail_request_decode(data, size, &got), 0);
        assert_null(got[0]);
        for (; argv[n]; n++)
                assert_string_equal(got[n + 1], argv[n]);
        assert_null(got[n + 1]);
}

static void test_arguments(void **state)
{
        (void) state;
        check_arguments((char *[]){ NULL });
        check_arguments((char *[]){ (char *) "", NULL });
        check_arguments((char *[]){ (char *) "-t", (char *) "", (char *) "a b\n", NULL });
}

static void test_too_many(void **state)
{
        char *argv[MAIL_ARGUMENTS_MAX + 2] = {}, *large;
        void *data;
        size_t size;

        (void) state;
        for (size_t i = 0; i < MAIL_ARGUMENTS_MAX; i++)
                argv[i] = (char *) "x";
        check_arguments(argv);
        argv[MAIL_ARGUMENTS_MAX] = (char *) "x";
        assert_int_equal(mail_request_encode(argv, &data, &size), -E2BIG);

        large = calloc(1, MAIL_REQUEST_MAX + 1);
        assert_non_null(large);
        memset(large, 'x', MAIL_REQUEST_MAX);
        argv[0] = large;
        argv[1] = NULL;
        assert_int_equal(mail_request_encode(argv, &data, &size), -E2BIG);
        free(large);
}

/* Every message that is cut, or has a byte more, or says another number. */
static void test_malformed(void **state)
{
        char *argv[] = { (char *) "-t", (char *) "alice@example.com", NULL };
        _cleanup_(freep) void *data = NULL;
        _cleanup_(freep) char *copy = NULL;
        char **got = NULL;
        size_t size;
        uint32_t n;

        (void) state;
        assert_int_equal(mail_request_encode(argv, &data, &size), 0);
        for (size_t cut = 0; cut < size; cut++) {
                copy = malloc(cut + 1);
                assert_non_null(copy);
                memcpy(copy, data, cut);
                assert_int_equal(mail_request_decode(copy, cut, &got), -EBADMSG);
                free(TAKE_PTR(copy));
        }
        copy = calloc(1, size + 1);
        assert_non_null(copy);
        memcpy(copy, data, size);
        assert_int_equal(mail_request_decode(copy, size + 1, &got), -EBADMSG);
        for (n = 0; n < 5; n++) {
                memcpy(copy + sizeof n, &n, sizeof n);
                if (n != 2)
                        assert_int_equal(mail_request_decode(copy, size, &got), -EBADMSG);
        }
        n = UINT32_MAX;
        memcpy(copy + sizeof n, &n, sizeof n);
        assert_int_equal(mail_request_decode(copy, size, &got), -EBADMSG);
        memcpy(copy, data, size);
        copy[0] = 'X';
        assert_int_equal(mail_request_decode(copy, size, &got), -EBADMSG);
}

static void test_replies(void **state)
{
        char text[2 * MAIL_TEXT_MAX];
        MailReply reply = mail_reply(MAIL_DONE, 69, true, "no");

        (void) state;
        assert_true(mail_reply_valid(&reply, sizeof reply));
        assert_string_equal(reply.text, "no");
        assert_false(mail_reply_valid(&reply, sizeof reply - 1));
        memset(reply.text, 'x', sizeof reply.text);
        assert_false(mail_reply_valid(&reply, sizeof reply));
        reply = mail_reply(MAIL_WAIT, 0, false, NULL);
        assert_true(mail_reply_valid(&reply, sizeof reply));
        reply.kind = _MAIL_REPLY_KIND_MAX;
        assert_false(mail_reply_valid(&reply, sizeof reply));
        reply = mail_reply(MAIL_DONE, 255, false, NULL);
        reply.status = 256;
        assert_false(mail_reply_valid(&reply, sizeof reply));

        memset(text, 'x', sizeof text - 1);
        text[sizeof text - 1] = 0;
        reply = mail_reply(MAIL_DONE, 0, false, text);
        assert_true(mail_reply_valid(&reply, sizeof reply));
        assert_int_equal(strlen(reply.text), MAIL_TEXT_MAX - 1);
}

/* A client and a server of different versions: what is said here is what was said before. */
static void test_bytes(void **state)
{
        static const char request[] = "PPM1\2\0\0\0-t\0bob";
        const MailReply reply = mail_reply(MAIL_DONE, 69, true, "no");
        static const char first[] = "PPR1\1\0\0\0E\0\0\0\1\0\0\0no";
        _cleanup_(freep) void *data = NULL;
        size_t size;

        (void) state;
        assert_int_equal(
                        mail_request_encode((char *[]){ (char *) "-t", (char *) "bob", NULL }, &data, &size),
                        0);
        assert_int_equal(size, sizeof request);
        assert_memory_equal(data, request, sizeof request);
        assert_int_equal(sizeof reply, 528);
        assert_memory_equal(&reply, first, sizeof first);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_arguments),
                cmocka_unit_test(test_too_many),
                cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_replies),
                cmocka_unit_test(test_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
