/* SPDX-License-Identifier: MIT */

/*
 * The pool of a process: see unit.h. sd_pid_get_unit(3) does not tell it inside of a sandbox, since it
 * looks at other processes.
 */

#include "sendmail/unit.h"

#define PREFIX "php-pool@"
#define SUFFIX ".service"

char *unit_pool(const char *text)
{
        const char *start = text, *end;

        for (; start && (start = strstr(start, PREFIX)); start++) {
                size_t n;

                if (start > text && start[-1] != '/')
                        continue;
                n = strcspn(start, "/\n");
                end = start + n - strlen(SUFFIX);
                if (n > strlen(PREFIX SUFFIX) && strncmp(end, SUFFIX, strlen(SUFFIX)) == 0)
                        return strndup(start + strlen(PREFIX), (size_t) (end - start) - strlen(PREFIX));
        }
        return NULL;
}
