/* SPDX-License-Identifier: MIT */
#pragma once

/* The processor time of a worker's requests: one system call for each that is measured, none for others. */

#include "base/time.h"

typedef struct Cpu {
        usec_t user, system;
} Cpu;

typedef struct CpuMeter {
        bool measured; /* when the last request ended */
        Cpu last;      /* what the process had used by then */
} CpuMeter;

/* A request begins, of which the time is wanted or not. */
void cpu_begin(CpuMeter *meter, bool wanted);

/*
 * It ended: what the process, without the programs that it ran, used since it began, or since the one before
 * ended where that was measured too. Zeros where it was not wanted when it began.
 */
Cpu cpu_end(CpuMeter *meter);
