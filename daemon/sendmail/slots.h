/* SPDX-License-Identifier: MIT */
#pragma once

/* How many messages may be under way, so that no user keeps the others from sending. Pure. */

#include "base/util.h"

/* Programs that run at the same time: of all users, and of one. */
#define MAIL_RUNNING_MAX 256U
#define MAIL_RUNNING_USER_MAX 16U

/* Connections that wait for one of these. */
#define MAIL_WAITING_MAX 2048U
#define MAIL_WAITING_USER_MAX 128U

/* Messages that were handed over, and whose delivery goes on in the background (Exim). */
#define MAIL_LINGERING_USER_MAX 64U

typedef struct MailLoad {
        size_t waiting, running, lingering;
} MailLoad;

/*
 * Whether one more of the user's may run. A user has a part of what is free only: those who take all that
 * they can get leave something to whoever comes next.
 */
bool mail_may_run(const MailLoad *all, const MailLoad *user);

/* Whether one more connection of the user may wait. */
bool mail_may_wait(const MailLoad *all, const MailLoad *user);
