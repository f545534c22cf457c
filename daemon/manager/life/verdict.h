/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Whether the pool can serve: the verdict that a watchdog ping tells (decide/health.h), as a part of the
 * book.
 */

#include "manager/pool/pool.h"

/* Where a verdict is asked for, finds it and notes it in Health. Logs when it has changed. */
void verdict_step(Pool *p, usec_t now);

/*
 * Why a pool stops that gets SIGTERM: systemd's watchdog sends it while pings are withheld; otherwise
 * systemd stops a pool by php-poolctl (ExecStop=).
 */
StopReason verdict_stop_reason(const Pool *p);
