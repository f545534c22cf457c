/* SPDX-License-Identifier: MIT */
#pragma once

/* Files of PHP's sessions: a pool's files live as long as its session.gc_maxlifetime says. */

#include <sys/types.h>

#include "base/util.h"

/* Debian's directory of session files, where php.ini names no other. Only root can list it. */
#define SESSIONS_DEFAULT "/var/lib/php/sessions"

/* The most directories within each other, as session.save_path ("N;MODE;/path") may say. */
#define SESSIONS_DEPTH_MAX 6

/*
 * Looks at the session files of a user below the directory, by the time of their last use, which PHP
 * keeps. A file that is younger than `seconds` gets a new time of change and nothing else, since Debian's
 * sessionclean goes by that. With `clean`, an older one is removed. Never touches a file of another user,
 * and follows no link. 0 or -errno of the directory.
 */
int sessions_tend(const char *directory, uid_t uid, uint64_t seconds, bool clean);
