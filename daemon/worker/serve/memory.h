/* SPDX-License-Identifier: MIT */
#pragma once

#include "base/util.h"

/*
 * The resident memory of this process that it shares with no file and no opcache ("RSS" less "SHR" in
 * top(1)), in bytes; 0 where the kernel does not tell. One system call, after the first. The source is
 * /proc/self/statm (proc(5)).
 */
uint64_t memory_resident(void);
