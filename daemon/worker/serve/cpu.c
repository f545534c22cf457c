/* SPDX-License-Identifier: MIT */

/*
 * See cpu.h. Between two requests a worker waits, so the end of one is as good as the beginning of the next:
 * a request that follows a measured one takes one getrusage(2).
 */

#include "worker/serve/cpu.h"

#include <sys/resource.h>

static usec_t usec_of(struct timeval t)
{
        return (usec_t) t.tv_sec * USEC_PER_SEC + (usec_t) t.tv_usec;
}

static Cpu used(void)
{
        struct rusage usage;

        if (getrusage(RUSAGE_SELF, &usage) < 0)
                return (Cpu) {};
        return (Cpu) { .user = usec_of(usage.ru_utime), .system = usec_of(usage.ru_stime) };
}

void cpu_begin(CpuMeter *m, bool wanted)
{
        if (wanted && !m->measured)
                m->last = used();
        m->measured = wanted;
}

Cpu cpu_end(CpuMeter *m)
{
        Cpu before = m->last;

        if (!m->measured)
                return (Cpu) {};
        m->last = used();
        return (Cpu) { usec_sub(m->last.user, before.user), usec_sub(m->last.system, before.system) };
}
