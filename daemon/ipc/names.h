/* SPDX-License-Identifier: MIT */
#pragma once

/* What a pool may be called, and where its sockets are then: names.def. */

#include "base/util.h"

/* Where the socket units have their sockets. Root's: nobody else makes or removes a file there. */
#define POOL_RUN_DIR "/run/php-pool"

/* The longest name of a pool. */
#define POOL_NAME_MAX 64

typedef enum PoolSocket {
#define POOL_SOCKET(id, name, suffix) POOL_SOCKET_##id,
#include "ipc/names.def"
        _POOL_SOCKET_MAX,
} PoolSocket;

/* FileDescriptorName= of the socket's unit. */
const char *pool_socket_name(PoolSocket socket);

/* The path of a pool's socket, a new string. 0 or -ENOMEM. */
int pool_socket_path(const char *pool, PoolSocket socket, char **ret);

/*
 * The name of the pool whose socket of this kind is called so in POOL_RUN_DIR ("www.control.sock"), a new
 * string; NULL for what is no such file's name, or no memory.
 */
char *pool_of_socket(const char *file, PoolSocket socket);

/*
 * Why nothing can be a pool of this name, in words that go on after a colon; NULL for a good name. Good are
 * letters, digits, ".", "_", "-", at most POOL_NAME_MAX of them, that do not begin with "." or "-", and do
 * not end in what would make the path of one pool's socket that of another's: the pool "x.status" would have
 * the status socket of the pool "x". As in paths, "x.STATUS" is something else.
 */
const char *pool_name_error(const char *name);

bool pool_name_valid(const char *name);
