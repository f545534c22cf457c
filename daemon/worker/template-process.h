/* SPDX-License-Identifier: MIT */
#pragma once

/* The template: PHP started once, from which workers are forked. See template-process.c. */

#include "worker/context.h"

/*
 * Starts PHP, says so on the channel, and forks the workers that are ordered there until the channel ends.
 * Returns the template's exit status; a worker exits by itself and never returns here.
 */
int template_run(const WorkerContext *context);
