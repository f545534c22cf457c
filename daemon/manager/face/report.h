/* SPDX-License-Identifier: MIT */
#pragma once

/* The pool's status (status/status.def), as the manager knows it. */

#include <systemd/sd-bus.h>

#include "manager/pool/pool.h"
#include "status/status.h"

/* The pool's own figures; looks at the queue, and notes the most that are active. Strings are the
 * pool's.
 */
void report_pool(Pool *p, PoolStatus *ret);

/*
 * What a slot's worker does, if there is one; strings are the record's, which the caller lends. False for an
 * empty slot.
 */
bool report_worker(const Generation *g, size_t slot, WorkerRecord *record, WorkerStatus *ret);

/* Appends "a{sv}aa{sv}": the pool, and each worker of every generation. 0 or -errno. */
int report_append(Pool *p, sd_bus_message *message);
