/* SPDX-License-Identifier: MIT */

/*
 * Recognizes what may be the sandbox's doing: see refusal.h. It knows nothing of PHP, neither logs nor
 * remembers, and reads no errno: PHP reports an error long after the system call.
 */

#include "worker/request/refusal.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "base/util.h"

static const struct {
        int error;
        Refusal refusal;
} refused_errors[] = {
        { EROFS, REFUSAL_PROBABLE },
        { EPERM, REFUSAL_POSSIBLE },
        { EACCES, REFUSAL_POSSIBLE },
};

/* Cuts ` (13)`, `)`, `"`, `'`, `.` and blanks off the end; the size that is left. */
static size_t cut_decoration(const char *s, size_t n)
{
        size_t digits;

        while (n > 0 && strchr(" \n.)]\"'", s[n - 1]))
                n--;
        digits = n;
        while (digits > 0 && s[digits - 1] >= '0' && s[digits - 1] <= '9')
                digits--;
        if (digits < n && digits > 1 && s[digits - 1] == '(' && s[digits - 2] == ' ')
                n = digits - 2;
        return n;
}

static bool ends_with(const char *s, size_t n, const char *end)
{
        size_t k = strlen(end);

        return k > 0 && n >= k && memcmp(s + n - k, end, k) == 0;
}

Refusal refusal_of_message(const char *message, size_t size)
{
        size_t n = cut_decoration(message, size);

        for (size_t i = 0; i < ELEMENTSOF(refused_errors); i++) {
                int error = refused_errors[i].error;

                if (ends_with(message, n, strerrordesc_np(error)) || ends_with(message, n, strerror(error)))
                        return refused_errors[i].refusal;
        }
        return REFUSAL_NONE;
}

Refusal refusal_of_status(int status)
{
        bool killed = (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) ||
                      (WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGSYS);

        return killed ? REFUSAL_PROBABLE : REFUSAL_NONE;
}
