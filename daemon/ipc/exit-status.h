/* SPDX-License-Identifier: MIT */
#pragma once

/* How processes end: workers and templates by numbers that both sides know, see exit-status.def. */

#include "base/util.h"

/* The longest of exit_describe(), with its zero. */
#define EXIT_DESCRIPTION_MAX 48

typedef enum ExitStatus {
#define STATUS(name, number, expected, text) EXIT_STATUS_##name = number,
#include "ipc/exit-status.def"
} ExitStatus;

/* The end of a sentence that starts with the process: "ended as ordered"; NULL for an unknown status. */
const char *exit_status_text(int status);

/*
 * Says how a process ended, as waitid(2) has it: code is CLD_EXITED, CLD_KILLED or CLD_DUMPED, status the
 * exit status or the signal. "exited with status 3", "was killed by SIGSEGV (core dumped)": the end of a
 * sentence, too.
 */
void exit_describe(int code, int status, char description[static EXIT_DESCRIPTION_MAX]);

/* True for a worker's ordinary end. */
bool exit_status_expected(int status);
