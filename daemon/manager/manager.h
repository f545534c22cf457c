/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The manager: one pool, one event loop. manager.c wires it up; what it does in a turn of the loop is
 * step.c's.
 */

#include "config/config.h"
#include "manager/traffic/listen.h"

typedef struct Manager Manager;

/* Sets everything up and starts the first generation; config becomes the manager's. Logs. 0 or -errno. */
int manager_new(const char *pool, const char *config_path, Config *config, Listen *listen, Manager **ret);
void manager_free(Manager *m);
DEFINE_CLEANUP(Manager *, manager_free)

/* Runs the pool until it ends. The exit status of the process, or -errno. */
int manager_run(Manager *m);
