/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The sockets named "status" (php-pool-status@.socket): a FastCGI server of the manager's own, which shows
 * the status page also while every worker hangs. No worker ever sees these sockets.
 */

#include <systemd/sd-event.h>

#include "config/config.h"
#include "status/dump.h"

/* What the server asks of the pool that it speaks for. */
typedef struct StatusServerPool {
        /* Makes a page, which the server frees. 0 or -errno. */
        int (*page)(void *userdata, DumpFormat format, bool full, char **ret, size_t *ret_size);

        /* The settings that serve, or those that are to; NULL where there are none at the moment. */
        const Config *(*settings)(void *userdata);

        void *userdata;
} StatusServerPool;

typedef struct StatusServer StatusServer;

/* Clients at the same time, for all sockets; for one more, the one that was silent for longest is closed. */
#define STATUS_CLIENTS_MAX 16

/* How long a client may take for one request and its answer, or keep a connection without one. */
#define STATUS_CLIENT_TIME (5 * USEC_PER_SEC)

/*
 * Bytes of answers that clients have not taken yet, all clients together, beyond what the kernel holds for
 * them. An answer that would go beyond it is status 503; but the only one is always given.
 */
#define STATUS_PENDING_MAX (4U * 1024U * 1024U)

/*
 * Watches these listening sockets, of which there may be none, in this loop; they stay the caller's. 0 or
 * -errno.
 */
int status_server_new(sd_event *event, const int *sockets, size_t n_sockets, const StatusServerPool *pool,
                      StatusServer **ret);
void status_server_free(StatusServer *server);
DEFINE_CLEANUP(StatusServer *, status_server_free)
