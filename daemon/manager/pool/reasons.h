/* SPDX-License-Identifier: MIT */
#pragma once

/* Why the manager ends a process, or the pool: reasons.def. */

/* Why a worker or a template is killed. */
typedef enum KillReason {
#define KILL(name, text) KILL_##name,
#include "manager/pool/reasons.def"
        _KILL_REASON_MAX,
} KillReason;

/* Why the pool ends. */
typedef enum StopReason {
#define STOP(name, level, text) STOP_##name,
#include "manager/pool/reasons.def"
        _STOP_REASON_MAX,
} StopReason;

/* The words; NULL for KILL_NONE. */
const char *kill_reason_text(KillReason reason);

/* The words, NULL where a record of its own has them, and that record's level. */
const char *stop_reason_text(StopReason reason, int *ret_level);
