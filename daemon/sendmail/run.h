/* SPDX-License-Identifier: MIT */
#pragma once

/* One message: a process of its own that takes it from a client and has sendmail run for it. */

#include "base/time.h"
#include "sendmail/message.h"
#include "sendmail/peer.h"

/* How long a client may take to send its request, which it does at once. */
#define MAIL_REQUEST_USEC (5 * USEC_PER_SEC)

/* How long sendmail may run, and after it the processes that it leaves in the background. */
#define MAIL_RUN_USEC (3600 * USEC_PER_SEC)
#define MAIL_LINGER_USEC (900 * USEC_PER_SEC)

/* Between SIGTERM and SIGKILL. */
#define MAIL_KILL_USEC (5 * USEC_PER_SEC)

/*
 * Serves the connection in this process, which the server has forked for it, and returns when every
 * descendant is gone. Of the server's descriptors, the process has only these two. It closes `running` as
 * soon as sendmail has ended and the client has its reply: from then on a delivery goes on in the
 * background, which SIGTERM ends.
 */
void mail_run(int connection, int running, const Peer *peer);

/*
 * Sends the last reply. With a message_id, text is logged, too, with the records of the peer's pool. Never
 * waits.
 */
void mail_answer(int connection, const Peer *peer, int status, const char *message_id, const char *text);
