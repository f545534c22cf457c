/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The time limits of requests are enforced. A generation with one of them has a timer, which the worker that
 * begins a request starts where it does not run: so a request within its limits never wakes the manager for
 * itself.
 */

#include "manager/pool/generation.h"

/*
 * Where limits_due is set, which it clears: looks at every request of the generation,
 * does what is due (limit_decide()), and sets the timer for the next one. The number of requests that went
 * to the slow log.
 */
size_t enforce_limits(Generation *g);
