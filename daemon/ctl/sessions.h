/* SPDX-License-Identifier: MIT */
#pragma once

/* Files of PHP's sessions: a pool's live as long as its session.gc_maxlifetime says. */

#include <sys/types.h>

#include "base/util.h"

/* Where Debian's PHP has them, unless it is told: a directory that only root can list. */
#define SESSIONS_DEFAULT "/var/lib/php/sessions"

/* How many directories, each of one character, are within each other: session.save_path ("N;MODE;/path"). */
#define SESSIONS_DEPTH_MAX 6

/*
 * Looks at the session files of a user below the directory, by the time of their last use, which PHP keeps.
 * One that is younger than so many seconds gets a new time of change and nothing else, since that is what
 * Debian's sessionclean goes by. With `clean`, an older one is removed. Never touches a file of another
 * user, and follows no link. 0 or -errno of the directory.
 */
int sessions_tend(const char *directory, uid_t uid, uint64_t seconds, bool clean);
