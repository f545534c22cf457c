/* SPDX-License-Identifier: MIT */
#pragma once

/* The deaths of processes: every child is reaped here, each worker gets one obituary in the journal. */

#include "manager/manager.h"

/* Watches SIGCHLD. 0 or -errno. */
int reap_watch(Manager *m);
