/* SPDX-License-Identifier: MIT */
#pragma once

/* The loop of php-pool-sendmaild: which connections it takes, of which users, and how many at a time. */

#include "base/util.h"

typedef struct MailServer MailServer;

/* How long the server stays without work. systemd starts it again for the next connection. */
#define SERVER_IDLE_USEC (60 * USEC_PER_SEC)

/* How long a connection waits until others of its user have ended. */
#define SERVER_WAIT_USEC (30 * USEC_PER_SEC)

/* Makes a server of the listening socket, which is then its own. 0 or -errno. */
int mail_server_new(int listen_fd, MailServer **ret);
MailServer *mail_server_free(MailServer *s);
DEFINE_CLEANUP(MailServer *, mail_server_free)

/* Runs until it is idle, or until SIGTERM came and all messages that it has taken are sent. 0 or -errno. */
int mail_server_run(MailServer *s);
