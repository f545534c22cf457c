/* SPDX-License-Identifier: MIT */
#pragma once

/* How a worker or template ended, as a number that both sides know: see exit-status.def. */

#include "base/util.h"

typedef enum ExitStatus {
#define STATUS(name, number, expected, text) EXIT_STATUS_##name = number,
#include "ipc/exit-status.def"
} ExitStatus;

/* The end of a sentence that starts with the process: "ended as ordered"; NULL for an unknown status. */
const char *exit_status_text(int status);

/* True for a worker's ordinary end. */
bool exit_status_expected(int status);
