/* SPDX-License-Identifier: MIT */
#pragma once

/* A socket in journald's place. */

#include <sys/un.h>

#include "base/util.h"

/* More records than any socket's queue holds. */
#define JOURNAL_MANY 100000

#define JOURNAL_PATH_SIZE sizeof((struct sockaddr_un *) 0)->sun_path

/* Binds it at the path, where there may be one already. Non-blocking; the caller closes it. */
int journal_bind(const char *path);

/* The next record as a string, zeros as dots; false where there is none. */
bool journal_receive(int fd, char *text, size_t size);
