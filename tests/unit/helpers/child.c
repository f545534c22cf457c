/* SPDX-License-Identifier: MIT */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers/child.h"
#include "helpers/unit.h"

pid_t fork_child(void)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        return pid;
}

void expect_exit(pid_t pid, int status)
{
        int got;

        assert_int_equal(waitpid(pid, &got, 0), pid);
        assert_true(WIFEXITED(got));
        assert_int_equal(WEXITSTATUS(got), status);
}

void end_child(pid_t pid)
{
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}
