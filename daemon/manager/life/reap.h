/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The deaths of processes: every child is reaped here, each worker that died unexpectedly gets an
 * obituary in the journal, or is counted in a storm of deaths. Nothing
 * is replaced here: sizing.c orders workers, replacing.c starts another template, at the step that follows.
 */

#include "manager/pool/pool.h"

/* Watches SIGCHLD. 0 or -errno. */
int reap_watch(Pool *p);

/*
 * Logs how many died without an obituary, if that is due; at the end of the pool it always is. When it will
 * be due, CLOCK_MONOTONIC; 0 where there is nothing to say.
 */
usec_t reap_report(Pool *p, usec_t now);
