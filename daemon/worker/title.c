/* SPDX-License-Identifier: MIT */

/*
 * The title: see title.h. The kernel shows the memory in which execve(2) put the arguments (proc(5),
 * cmdline); the environment stands right behind it. Both are overwritten, as other daemons do.
 */

#include "worker/title.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* Copies the environment elsewhere. The copy lasts as long as the process. */
static int move_environment(void)
{
        size_t n = 0;
        char **copy;

        while (environ[n])
                n++;
        copy = calloc(n + 1, sizeof *copy);
        if (!copy)
                return -ENOMEM;

        for (size_t i = 0; i < n; i++) {
                copy[i] = strdup(environ[i]);
                if (!copy[i]) {
                        while (i-- > 0)
                                free(copy[i]);
                        free(copy);
                        return -ENOMEM;
                }
        }
        environ = copy;
        return 0;
}

/* Moves end behind the strings that stand there without a gap. */
static char *follow_strings(char *end, char **strings)
{
        for (; *strings && *strings == end; strings++)
                end += strlen(*strings) + 1;
        return end;
}

int title_init(int argc, char **argv, Title *ret)
{
        char *end;
        int r;

        if (argc < 1) {
                *ret = (Title) {};
                return 0;
        }

        /* syslog(3) and error(3) name the program by what stands there. */
        program_invocation_name = program_invocation_short_name = (char *) "php-pool-worker";

        end = follow_strings(argv[0], argv);
        end = follow_strings(end, environ);
        r = move_environment();
        if (r < 0)
                return r;

        *ret = (Title) { .area = argv[0], .size = (size_t) (end - argv[0]) };
        return 0;
}

void title_set(const Title *t, const char *format, ...)
{
        va_list ap;
        int n;

        if (t->size == 0)
                return;

        va_start(ap, format);
        n = vsnprintf(t->area, t->size, format, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n < t->size)
                memset(t->area + n, 0, t->size - (size_t) n);
}
