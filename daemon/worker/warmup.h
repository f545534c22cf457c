/* SPDX-License-Identifier: MIT */
#pragma once

/* reload.warmup: scripts that run before a generation takes over. See warmup.c. */

#include "worker/context.h"

/* The most of a complaint, with its zero. */
#define WARMUP_TEXT_MAX 512

/*
 * Runs the scripts of reload.warmup one after the other, up to the first that fails, in a process of their
 * own, and waits for its end. Called in the template, once PHP has started. What failed and why goes into
 * complaint, "" for nothing.
 */
void warmup_run(const WorkerContext *context, char complaint[static WARMUP_TEXT_MAX]);
