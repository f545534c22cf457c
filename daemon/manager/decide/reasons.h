/* SPDX-License-Identifier: MIT */
#pragma once

/* Why the manager ends a process, or the pool: reasons.def. */

/* Why a worker or a template is killed. */
typedef enum KillReason {
#define KILL(name, text) KILL_##name,
#include "manager/decide/reasons.def"
        _KILL_REASON_MAX,
} KillReason;

/* Why the pool ends. */
typedef enum StopReason {
#define STOP(name, status, level, text) STOP_##name,
#include "manager/decide/reasons.def"
        _STOP_REASON_MAX,
} StopReason;

/* The words; NULL for KILL_NONE. */
const char *kill_reason_text(KillReason reason);

/* The exit status of a manager whose pool ends for this reason. */
int stop_reason_exit_status(StopReason reason);

/* The words, NULL where a record of its own has them, and that record's level. */
const char *stop_reason_text(StopReason reason, int *ret_level);
