/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Calls to a pool's manager: see ipc/control.h for what it understands. Every wait has a bound, whatever
 * answers: a manager that is stuck, or a program that took its place.
 */

#include <systemd/sd-bus.h>

#include "base/time.h"
#include "ctl/ctl.h"

/* A manager that does not answer a question for this long is stuck; its watchdog will say so too. */
#define CALL_TIMEOUT (5 * USEC_PER_SEC)

/* The same where many managers are asked one after the other. */
#define CALL_LIST_TIMEOUT (2 * USEC_PER_SEC)

/*
 * Where an answer may take long: how often the manager is asked whether it still lives, and how long it
 * may take to say so.
 */
#define CALL_PING_INTERVAL (2 * USEC_PER_SEC)
#define CALL_SILENCE_MAX (15 * USEC_PER_SEC)

/*
 * Connects to the manager of a pool, at path or, where that is NULL, at the pool's control socket, and
 * waits at most for timeout until it has let the caller in. 1 and a connection, which the caller frees
 * with sd_bus_close_unref(); 0 where nothing listens: the pool does not run. -ETIMEDOUT for a manager that
 * does not answer, -EACCES for a caller that is not root, or another -errno.
 */
int call_connect(const char *pool, const char *path, usec_t timeout, sd_bus **ret);

/*
 * Calls a method without arguments and waits for the answer. 0 and a reply, which the caller unrefs, if
 * asked for; -EREMOTEIO and *error, unless that is NULL, where the manager answered with an error;
 * -ETIMEDOUT for a manager that is silent, for timeout or, if that is shorter, for CALL_SILENCE_MAX;
 * -ETIME for one that says that it lives, but has not answered within timeout; or another -errno.
 */
int call_method(sd_bus *bus, const char *method, usec_t timeout, sd_bus_error *error,
                sd_bus_message **ret_reply);

/* Waits until the manager closes the connection. 0, or an error as of call_method(). */
int call_wait_closed(sd_bus *bus, usec_t timeout);

/* Whether an error means that the manager went away. */
bool call_peer_is_gone(int r);

/* The words for an error of these functions. They hold as long as *error, which may be NULL. */
const char *call_error_text(int r, const sd_bus_error *error);

/* Says it, as ctl_fail_lines(): "Failed to WHAT pool POOL: …". error may be NULL. */
CtlExit call_fail(const char *what, const char *pool, int r, const sd_bus_error *error);
