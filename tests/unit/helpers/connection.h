/* SPDX-License-Identifier: MIT */
#pragma once

/* The owner of a connection in a test: its hooks count their calls. */

#include "worker/transport/transport.h"

/* The userdata of the hooks. */
typedef struct HookCalls {
        unsigned reading, finishing, waiting, progress, released, closing, late;
        char script[64]; /* the last one that was known */
} HookCalls;

extern const ConnectionHooks counting_hooks;
