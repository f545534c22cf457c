/* SPDX-License-Identifier: MIT */

/* Where an answer's headers end, however it is cut into pieces, and which status it has. */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "ctl/answer.h"

static const struct {
        const char *answer;
        const char *head;
        const char *body;
        unsigned status;
} cases[] = {
        { "Content-Type: a\r\n\r\nbody", "Content-Type: a\r\n", "body", 200 },
        { "Content-Type: a\n\nbody\n\nmore", "Content-Type: a\n", "body\n\nmore", 200 },
        { "Status: 404 Not Found\r\nX: y\r\n\r\n", "Status: 404 Not Found\r\nX: y\r\n", "", 404 },
        { "X: Status: 500\r\nsTATUS:302\r\n\r\n\r\nb", "X: Status: 500\r\nsTATUS:302\r\n", "\r\nb", 302 },
        { "Status: nonsense\r\n\r\n", "Status: nonsense\r\n", "", 200 },
        { "\r\nbody", "", "body", 200 },
        { "\nbody", "", "body", 200 },
        { "A: b\r\n\nbody", "A: b\r\n", "body", 200 },
        { "A: b\r\r\n\r\nbody", "A: b\r\r\n", "body", 200 },
};

/* Feeds an answer in pieces of a size and looks what comes out. */
static void check_pieces(size_t i, size_t piece)
{
        _cleanup_(answer_clear) Answer answer = {};
        size_t size = strlen(cases[i].answer), n_body = 0;
        char body[64] = "";

        for (size_t at = 0; at < size; at += piece) {
                const char *bytes;
                size_t n;
                int r;

                r = answer_take(&answer, cases[i].answer + at, MIN(piece, size - at), &bytes, &n);
                assert_int_equal(r, 0);
                memcpy(body + n_body, bytes, n);
                n_body += n;
        }
        assert_true(answer.head_ended);
        assert_string_equal(answer.head, cases[i].head);
        assert_int_equal(answer.head_size, strlen(cases[i].head));
        assert_string_equal(body, cases[i].body);
        assert_int_equal(answer.status, cases[i].status);
}

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                for (size_t piece = 1; piece <= strlen(cases[i].answer); piece++)
                        check_pieces(i, piece);
}

static void test_no_end(void **state _unused_)
{
        _cleanup_(answer_clear) Answer answer = {};
        const char *body;
        size_t n;

        assert_int_equal(answer_take(&answer, "A: b\r\nC: d\r\n", 12, &body, &n), 0);
        assert_int_equal(answer_take(&answer, "", 0, &body, &n), 0);
        assert_int_equal(n, 0);
        assert_false(answer.head_ended);
}

static void test_too_large(void **state _unused_)
{
        _cleanup_(answer_clear) Answer answer = {};
        static const char line[] = "X-Header: 0123456789012345678901234567890123456789012345678901\r\n";
        const char *body;
        size_t n;
        int r = 0;

        for (size_t size = 0; size <= ANSWER_HEAD_MAX && r == 0; size += strlen(line))
                r = answer_take(&answer, line, strlen(line), &body, &n);
        assert_int_equal(r, -E2BIG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_no_end),
                cmocka_unit_test(test_too_large),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
