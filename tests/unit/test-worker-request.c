/* SPDX-License-Identifier: MIT */

/* A request of a way that has no operations at all, and how far its answer may go. */

#include "helpers/child.h"
#include "helpers/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/request/request.h"

static const RequestOps none;

static void test_missing_operations_do_nothing(void **state _unused_)
{
        Request r = { .ops = &none };
        char c;

        assert_int_equal(request_read_body(&r, &c, 1), 0);
        assert_int_equal(request_write_head(&r, &(Head) { .status = 200 }), 0);
        assert_int_equal(request_write(&r, "x", 1), 0);
        assert_int_equal(request_write_error(&r, "x", 1), 0);
        assert_int_equal(request_flush(&r), 0);
        request_script_known(&r, "/a.php");
        request_script_ended(&r);
        request_release(&r);
        assert_false(request_answered(&r));
        assert_int_equal(request_finish(&r), 0);
        assert_int_equal(r.answer, ANSWER_ENDED);
        request_release(&r);
        assert_int_equal(r.answer, ANSWER_ENDED);
}

static unsigned n_finished;

static int on_finish(Request *request)
{
        assert_int_equal(request->answer, ANSWER_ENDED);
        n_finished++;
        return -EPIPE;
}

static int on_write(Request *request _unused_, const void *bytes _unused_, size_t size _unused_)
{
        return -EPIPE;
}

static int on_write_head(Request *request _unused_, const Head *head _unused_)
{
        return -EPIPE;
}

/* It ends once, and what comes behind that is dropped. */
static void test_an_answer_ends_once(void **state _unused_)
{
        static const RequestOps ops = {
                .write_head = on_write_head,
                .write = on_write,
                .finish = on_finish,
        };
        Request r = { .ops = &ops };

        assert_int_equal(request_write(&r, "x", 1), -EPIPE);
        assert_int_equal(request_finish(&r), -EPIPE);
        assert_int_equal(request_finish(&r), 0);
        assert_int_equal(n_finished, 1);
        assert_int_equal(request_write(&r, "x", 1), 0);
        assert_int_equal(request_write_head(&r, &(Head) { .status = 200 }), 0);
}

/* Which states follow which; anything else is a fault of ours. */
static void test_states(void **state _unused_)
{
        static const bool may[_ANSWER_STATE_MAX][_ANSWER_STATE_MAX] = {
                [ANSWER_OPEN] = { [ANSWER_ENDED] = true, [ANSWER_GONE] = true },
                [ANSWER_ENDED] = { [ANSWER_RELEASED] = true, [ANSWER_SETTLED] = true },
                [ANSWER_RELEASED] = { [ANSWER_SETTLED] = true },
                [ANSWER_SETTLED] = { [ANSWER_GONE] = true },
        };

        for (AnswerState from = 0; from < _ANSWER_STATE_MAX; from++)
                for (AnswerState to = 0; to < _ANSWER_STATE_MAX; to++) {
                        Request r = { .ops = &none, .answer = from };
                        int status;
                        pid_t pid;

                        if (may[from][to]) {
                                request_set_answer(&r, to);
                                assert_int_equal(r.answer, to);
                                continue;
                        }
                        pid = fork_child();
                        if (pid == 0) {
                                close(STDERR_FILENO); /* of assert(3) */
                                (void) signal(SIGABRT, SIG_DFL);
                                request_set_answer(&r, to);
                                _exit(0);
                        }
                        assert_int_equal(waitpid(pid, &status, 0), pid);
                        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
                }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_missing_operations_do_nothing),
                cmocka_unit_test(test_an_answer_ends_once),
                cmocka_unit_test(test_states),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
