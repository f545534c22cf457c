/* SPDX-License-Identifier: MIT */
#pragma once

/* Which arguments of sendmail a script may pass on: arguments.def. Pure. */

#include "base/util.h"

/* The most bytes of an argument: the longest line of SMTP has fewer. */
#define MAIL_ARGUMENT_MAX 1024U

/* Bytes that a reason of arguments_refuse() has at most, its end included. */
#define MAIL_REASON_MAX 160U

/*
 * Judges argv, without the program's name, as any sendmail may read it: an argument that begins with "-"
 * is never a value or a recipient, so that no sendmail reads as an option what was judged as something
 * else. False where all arguments are allowed; true, and a sentence that names the argument, where the
 * message must not be sent.
 */
bool arguments_refuse(char *const *argv, char reason[MAIL_REASON_MAX]);
