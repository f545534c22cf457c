/* SPDX-License-Identifier: MIT */
#pragma once

/* The command by which mail() sends: PHP's sendmail_path. Pure. */

#include "base/util.h"

/*
 * Puts client in the place of each sendmail that the command names: /usr/sbin/sendmail, /usr/lib/sendmail
 * and what else is the same by custom, and plain "sendmail" where that is the program. Arguments and all
 * other words stay. *ret is a new string, which the caller frees, or NULL for a command that names none. 0
 * or -ENOMEM.
 */
int mail_command(const char *command, const char *client, char **ret);
