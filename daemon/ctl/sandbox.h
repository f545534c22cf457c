/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What a pool's unit lets its processes see of a path, by the unit's directives (systemd.exec(5),
 * "Sandboxing"). Asks nobody. Pure.
 */

#include <limits.h>

#include "ctl/unit-file.h"

typedef enum SandboxVerdict {
        SANDBOX_OPEN,      /* as the system has it */
        SANDBOX_READ_ONLY, /* nobody writes below `by` */
        SANDBOX_HIDDEN,    /* nobody sees what is below `by` */
        SANDBOX_OWN, /* `by` is the pool's own; for others it is `there`, or "" where they do not see it */
        SANDBOX_ELSEWHERE, /* what is there is not what the system has there */
} SandboxVerdict;

typedef struct Sandbox {
        SandboxVerdict verdict;
        char by[PATH_MAX], there[PATH_MAX];
} Sandbox;

/* What a pool named so sees of an absolute path, which is best without links. 0 or -ENOMEM. */
int sandbox_judge(const UnitFile *unit, const char *pool, const char *path, Sandbox *ret);
