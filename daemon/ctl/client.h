/* SPDX-License-Identifier: MIT */
#pragma once

/* A connection to a pool's manager: see ipc/control.h for what it understands. */

#include <systemd/sd-bus.h>

#include "base/time.h"

/* A manager that does not answer for this long is stuck; its watchdog will say so too. */
#define CLIENT_TIMEOUT (5 * USEC_PER_SEC)

/* The same where many managers are asked one after the other. */
#define CLIENT_LIST_TIMEOUT (2 * USEC_PER_SEC)

/*
 * Connects to the manager of a pool and waits until it has let the caller in, at most for timeout. 0 and a
 * connection, which the caller frees with sd_bus_close_unref(); -ETIMEDOUT for a manager that does not
 * answer; or another -errno, for which client_not_running() may hold.
 */
int client_connect(const char *pool, usec_t timeout, sd_bus **ret);

/* Whether an error means that nobody listens, or that the manager went away. */
bool client_not_running(int error);

/*
 * Calls a method without arguments and waits for the answer, at most for a time; USEC_INFINITY for ever. 0
 * and a reply, which the caller unrefs, if asked for; or -errno and *error, for which client_error_text()
 * has words: -ETIMEDOUT where there was no answer in time.
 */
int client_call(sd_bus *bus, const char *method, usec_t timeout, sd_bus_error *error,
                sd_bus_message **ret_reply);

/* The text of the D-Bus error, or the one of r. Holds as long as *error. */
const char *client_error_text(const sd_bus_error *error, int r);

/* Waits until the manager closes the connection. 0 or -errno. */
int client_wait_closed(sd_bus *bus);
