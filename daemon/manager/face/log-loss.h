/* SPDX-License-Identifier: MIT */
#pragma once

/* Tells what the manager's log has lost, also where it has nothing else to say for long. */

#include <systemd/sd-event.h>

#include "base/util.h"

typedef struct LogLoss LogLoss;

/*
 * Looks at each turn of the loop, which costs nothing, and has a timer while there is something to tell. 0
 * or -errno.
 */
int log_loss_new(sd_event *event, LogLoss **ret);
void log_loss_free(LogLoss *loss);
DEFINE_CLEANUP(LogLoss *, log_loss_free)
