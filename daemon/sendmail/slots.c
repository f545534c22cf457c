/* SPDX-License-Identifier: MIT */

/* How many messages may be under way: see slots.h. Pure. */

#include "sendmail/slots.h"

/* The part of the free slots that one user may have. */
#define SHARE 4U

bool mail_may_run(const MailLoad *all, const MailLoad *user)
{
        size_t room = all->running < MAIL_RUNNING_MAX ? MAIL_RUNNING_MAX - all->running : 0;

        if (room == 0)
                return false;
        return user->running < MAX(1U, MIN(MAIL_RUNNING_USER_MAX, room / SHARE));
}

bool mail_may_wait(const MailLoad *all, const MailLoad *user)
{
        return all->waiting < MAIL_WAITING_MAX && user->waiting < MAIL_WAITING_USER_MAX;
}
