/* SPDX-License-Identifier: MIT */
#pragma once

/* How many workers the generation that serves has: see decide/policy.h. */

#include "manager/pool/pool.h"

/* Orders workers and tells idle ones to end, as many as are wanted. There must be a current generation. */
void sizing_step(Pool *p, usec_t now, usec_t *earliest);

/* Gives connections of which the kernel may have told only a worker that died to an idle worker. */
void sizing_rouse(Pool *p);
