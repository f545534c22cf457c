/* SPDX-License-Identifier: MIT */

/* What is said of the process that an end waits for, by a table of cases; and that every reason has its
 * words. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "base/utf8.h"
#include "manager/life/drain-text.h"

#define NOON ((usec_t) 1700049600 * USEC_PER_SEC) /* 2023-11-15 12:00:00 UTC */
#define DAY (86400 * USEC_PER_SEC)

#define VIEW(_stage, _method, _uri, _script, _since, _until, _more)                                         \
        {                                                                                                   \
                .pid = 17,                                                                                  \
                .record = { .stage = _stage, .method = _method, .uri = _uri, .script = _script },           \
                .since = _since, .until = _until, .more = _more, .now = NOON,                               \
        }

static const struct {
        DrainWait view;
        const char *text;
} cases[] = {
        { VIEW(STAGE_RUNNING, "GET", "/a?b=1", "/srv/a.php", NOON - 5 * USEC_PER_SEC, NOON + USEC_PER_SEC,
               0),
          "worker 17, which runs GET /a?b=1 (/srv/a.php) since 11:59:55, until 12:00:01" },
        { VIEW(STAGE_RUNNING, "GET", "/a", "", NOON, 0, 2),
          "worker 17, which runs GET /a since 12:00:00, and 2 more, without limit" },
        { VIEW(STAGE_RUNNING, "GET", "/a", "", NOON - DAY, NOON + DAY, 0),
          "worker 17, which runs GET /a since 2023-11-14 12:00:00, until 2023-11-16 12:00:00" },
        { VIEW(STAGE_SENDING, "POST", "/a", "/srv/a.php", NOON, 0, 0),
          "worker 17, whose client does not take the answer to POST /a (/srv/a.php) since 12:00:00, without "
          "limit" },
        { VIEW(STAGE_FINISHING, "GET", "/a", "/a.php", NOON, 0, 0),
          "worker 17, which finishes GET /a (/a.php) since 12:00:00, without limit" },
        { VIEW(STAGE_READING, "GET", "/last", "/last.php", 0, 0, 0),
          "worker 17, whose client has sent part of a request, without limit" },
        { VIEW(STAGE_RUNNING, "", "", "", 0, 0, 0), "worker 17, which runs a request, without limit" },
        { VIEW(STAGE_IDLE, "GET", "/last", "/last.php", 0, NOON, 1),
          "worker 17, which has no request, and does not end, and 1 more, until 12:00:00" },
        { VIEW(STAGE_STARTING, "", "", "", 0, NOON, 0), "worker 17, which starts, until 12:00:00" },
        { VIEW(STAGE_ENDING, "", "", "", 0, NOON, 0), "worker 17, which ends, until 12:00:00" },
        { VIEW(STAGE_RUNNING, "GET\n", "/\x1b[1m\nREADY=1", "/srv/\xff.php", NOON, 0, 0),
          "worker 17, which runs GET? /?[1m?READY=1 (/srv/?.php) since 12:00:00, without limit" },
        { { .pid = 5, .is_template = true, .until = NOON, .now = NOON },
          "PHP's template (pid 5), which ends, until 12:00:00" },
};

static void test_cases(void **state _unused_)
{
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                char text[DRAIN_TEXT_MAX];

                drain_wait_format(&cases[i].view, text);
                assert_string_equal(text, cases[i].text);
        }
}

/* However long what a client sent is, the time is there, and no character is cut. */
static void test_long_text(void **state _unused_)
{
        DrainWait view = {
                .pid = 17, .record = { .stage = STAGE_RUNNING }, .since = NOON, .now = NOON, .until = NOON
        };
        char text[DRAIN_TEXT_MAX];

        for (size_t i = 0; i + 2 < sizeof view.record.uri; i += 2)
                memcpy(view.record.uri + i, "ä", 2);
        memset(view.record.script, 'x', sizeof view.record.script - 1);
        memset(view.record.method, 'X', sizeof view.record.method - 1);
        drain_wait_format(&view, text);
        assert_non_null(strstr(text, ", until 12:00:00"));
        for (const char *p = text; *p;) {
                uint32_t code;
                size_t n = utf8_decode(p, strlen(p), &code);

                assert_true(n > 0);
                p += n;
        }
}

/* One reason's words are never another's. */
static void test_reasons(void **state _unused_)
{
        int level;

        assert_null(kill_reason_text(KILL_NONE));
        for (KillReason i = KILL_NONE + 1; i < _KILL_REASON_MAX; i++)
                for (KillReason j = KILL_NONE + 1; j <= i; j++)
                        if (i == j)
                                assert_true(strlen(kill_reason_text(i)) > 10);
                        else
                                assert_string_not_equal(kill_reason_text(i), kill_reason_text(j));
        assert_non_null(stop_reason_text(STOP_ASKED, &level));
        assert_int_equal(level, LOG_NOTICE);
        assert_non_null(stop_reason_text(STOP_NO_TEMPLATE, &level));
        assert_int_equal(level, LOG_ERR);
        assert_null(stop_reason_text(STOP_START_FAILED, &level)); /* which START_FAILED has said */
        assert_int_equal(stop_reason_exit_status(STOP_IDLE), EXIT_SUCCESS);
        assert_int_equal(stop_reason_exit_status(STOP_OTHER_BUILD), EXIT_FAILURE);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
                cmocka_unit_test(test_long_text),
                cmocka_unit_test(test_reasons),
        };

        (void) setenv("TZ", "UTC", 1);
        tzset();
        return cmocka_run_group_tests(tests, NULL, NULL);
}
