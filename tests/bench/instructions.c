/* SPDX-License-Identifier: MIT */

/*
 * Counts the instructions that a process executes in user mode, by stepping through them one by one: also
 * where there are no hardware counters, as in most virtual machines.
 *
 *   instructions PID
 *
 * Prints the number when it is sent SIGINT. A repeated string instruction (rep movsb) counts once. The
 * process runs a hundred times slower meanwhile.
 */

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "base/parse.h"

static pid_t arg_pid;

/* Stops it, also where it waits in the kernel; not by PTRACE_INTERRUPT, which comes before a SIGTRAP that is
 * still to come and would kill it. */
static void on_interrupt(int signal)
{
        (void) signal;
        (void) kill(arg_pid, SIGSTOP);
}

/* The signal that it stopped for; 0 for none but the tracer's. */
static int wait_stop(void)
{
        int status;

        while (waitpid(arg_pid, &status, __WALL) < 0)
                if (errno != EINTR)
                        return -errno;
        if (!WIFSTOPPED(status))
                return -ESRCH;
        return WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
}

/* One instruction; `signal` is passed on to it. */
static int step(int signal)
{
        if (ptrace(PTRACE_SINGLESTEP, arg_pid, NULL, (void *) (intptr_t) signal) < 0)
                return -errno;
        return wait_stop();
}

static long instruction_pointer(uint64_t n)
{
#ifdef __x86_64__
        (void) n;
        return ptrace(PTRACE_PEEKUSER, arg_pid, offsetof(struct user_regs_struct, rip), NULL);
#else
        return (long) n;
#endif
}

int main(int argc, char **argv)
{
        uint64_t pid, n = 0;
        long last = 0;
        int r;

        if (argc != 2 || parse_u64(argv[1], &pid) < 0 || pid == 0 || pid > INT32_MAX) {
                fprintf(stderr, "usage: instructions PID\n");
                return 2;
        }
        arg_pid = (pid_t) pid;
        if (signal(SIGINT, on_interrupt) == SIG_ERR || ptrace(PTRACE_SEIZE, arg_pid, NULL, NULL) < 0) {
                perror("instructions");
                return 1;
        }
        r = ptrace(PTRACE_INTERRUPT, arg_pid, NULL, NULL) < 0 ? -errno : wait_stop();
        for (; r >= 0 && r != SIGSTOP; r = step(r)) {
                long here = instruction_pointer(n);

                n += here != last;
                last = here;
        }
        (void) ptrace(PTRACE_DETACH, arg_pid, NULL, NULL);
        printf("%llu\n", (unsigned long long) n);
        return r < 0;
}
