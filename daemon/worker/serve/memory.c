/* SPDX-License-Identifier: MIT */

/* How much memory this worker holds: see memory.h. The file is opened by the worker that reads it. */

#include "worker/serve/memory.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

/* Seven decimal numbers of at most 20 digits, with a blank behind each. */
#define STATM_MAX 160

uint64_t memory_resident(void)
{
        static int fd = -1;
        uint64_t resident, shared;
        char line[STATM_MAX];
        ssize_t n;

        if (fd < 0)
                fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return 0;
        n = pread(fd, line, sizeof line - 1, 0);
        if (n <= 0)
                return 0;
        line[n] = 0;
        if (sscanf(line, "%*u %" SCNu64 " %" SCNu64, &resident, &shared) != 2 || shared > resident)
                return 0;
        return (resident - shared) * (uint64_t) sysconf(_SC_PAGESIZE);
}
