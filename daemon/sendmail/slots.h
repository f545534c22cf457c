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

/* Messages that sendmail has taken and delivers in the background (Exim). */
#define MAIL_LINGERING_USER_MAX 64U

typedef struct MailLoad {
        size_t waiting, running, lingering;
} MailLoad;

/*
 * Whether one more message of the user may run. A user may have a part of the free slots only, so that a
 * user who takes all that can be had leaves some to the next one.
 */
bool mail_may_run(const MailLoad *all, const MailLoad *user);

/* Whether one more connection of the user may wait. */
bool mail_may_wait(const MailLoad *all, const MailLoad *user);
