/* SPDX-License-Identifier: MIT */

/*
 * php-pool-clean COMMAND [ARGUMENT…]: runs a command with nothing of the environment but what systemd
 * itself sets for it.
 *
 * systemd runs php-poolctl as root for a pool's service, with the service's Environment= and
 * EnvironmentFile=, which the pool's user may be able to write: a LD_PRELOAD there would run as root. So
 * this program is linked statically, has no dynamic linker that would read the environment, and uses no
 * code but this file's.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * What php-poolctl wants to know: systemd.exec(5). Environment= may say it as well: it is only believed
 * about the pool itself.
 */
static const char *const kept[] = { "MAINPID", "SERVICE_RESULT", "JOURNAL_STREAM" };

#define KEPT_MAX (sizeof kept / sizeof *kept)

int main(int argc, char **argv)
{
        extern char **environ;
        char *clean[KEPT_MAX + 1] = { NULL };
        size_t n = 0;

        if (argc < 2) {
                fprintf(stderr, "Usage: php-pool-clean COMMAND [ARGUMENT]\n");
                return 2;
        }
        for (char **variable = environ; *variable; variable++)
                for (size_t i = 0; i < KEPT_MAX && n < KEPT_MAX; i++) {
                        size_t length = strlen(kept[i]);

                        if (strncmp(*variable, kept[i], length) == 0 && (*variable)[length] == '=')
                                clean[n++] = *variable;
                }
        execve(argv[1], argv + 1, clean);
        perror(argv[1]);
        return 1;
}
