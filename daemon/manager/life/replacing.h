/* SPDX-License-Identifier: MIT */
#pragma once

/* PHP that is started anew with the same settings: see decide/replacement.h. */

#include "manager/pool/pool.h"

/* Replaces the generation that serves where it needs that. The pool must be running. */
void replacing_step(Pool *p, usec_t now, usec_t *earliest);
