/* SPDX-License-Identifier: MIT */
#pragma once

/* Starts PHP anew with the same settings, when decide/replacement.h says so. */

#include "manager/pool/pool.h"

/* Replaces the generation that serves, where that is due. The pool must be running. */
void replacing_step(Pool *p, usec_t now, usec_t *earliest);
