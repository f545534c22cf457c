/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What the template made of its arguments, and every worker of it has by the fork: never changed after that.
 */

#include "config/config.h"
#include "config/network.h"
#include "ipc/inherit.h"
#include "scoreboard/scoreboard.h"
#include "worker/memory-fds.h"
#include "worker/serve/access-log.h"
#include "worker/title.h"
#include "worker/transport/transport.h"

typedef struct WorkerContext {
        const char *pool;
        const Config *config;
        Scoreboard *board;
        AccessLog *access; /* NULL where it is off */
        MemoryFds *memories;                  /* NULL without request.slowlog_timeout */
        Inherit inherit;                      /* settings and scoreboard are closed by now */
        bool unix_socket[INHERIT_LISTEN_MAX]; /* for each listening socket: it is an AF_UNIX one */
        const Network *allowed;               /* security.allowed_clients; NULL for anybody */
        size_t n_allowed;
        const Transport *const *transports; /* for each Protocol */
        Title title;
} WorkerContext;
