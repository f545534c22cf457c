/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a pool's unit lets its processes see of a path, by the unit's directives (systemd.exec(5),
 * "Sandboxing"). Pure: neither systemd nor the file system is asked.
 */

#include <limits.h>

#include "ctl/unit-file.h"

typedef enum SandboxVerdict {
        SANDBOX_OPEN,      /* as the system has it */
        SANDBOX_READ_ONLY, /* nobody writes below `by` */
        SANDBOX_HIDDEN,    /* nobody sees what is below `by` */
        SANDBOX_OWN, /* `by` is the pool's own; others find it at `there`, or not at all where that is "" */
        SANDBOX_ELSEWHERE, /* another file stands there than the system has there */
} SandboxVerdict;

typedef struct Sandbox {
        SandboxVerdict verdict;
        char by[PATH_MAX], there[PATH_MAX];
} Sandbox;

/* Judges what the pool sees of a path, which is absolute and best without links. 0 or -ENOMEM. */
int sandbox_judge(const UnitFile *unit, const char *pool, const char *path, Sandbox *ret);
