/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The deaths of processes: every child is reaped here, each worker gets one obituary in the journal. Nothing
 * is replaced here: sizing.c orders workers, replacing.c starts another template, at the step that follows.
 */

#include "manager/pool/pool.h"

/* Watches SIGCHLD. 0 or -errno. */
int reap_watch(Pool *p);

/*
 * Logs how many died without an obituary, if that is due. When it will be, CLOCK_MONOTONIC; 0 for not. At
 * the end, with USEC_INFINITY, it is always due.
 */
usec_t reap_report(Pool *p, usec_t now);
