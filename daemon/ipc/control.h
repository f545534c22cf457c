/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The control socket: sd-bus peer to peer between php-poolctl and the manager, as systemctl speaks to
 * /run/systemd/private. Only the pool's user and root can open it (mode 0600).
 *
 *   Reload()  returns when the new generation serves; fails with CONTROL_ERROR_RELOAD and the reason
 *   Stop()    returns at once; the pool drains and exits
 *   GetStatus() → a{sv} the pool, aa{sv} its workers: keys are status.def's
 */

#include "base/util.h"

#define CONTROL_OBJECT "/org/phppool/Pool1"
#define CONTROL_INTERFACE "org.phppool.Pool1"
#define CONTROL_ERROR_RELOAD "org.phppool.Error.ReloadFailed"
#define CONTROL_ERROR_STOPPING "org.phppool.Error.Stopping"

/* The root of the sockets' and runtime files' names: /run/php-pool/POOL.sock, /run/php-pool/POOL/control. */
#define CONTROL_RUN_DIR "/run/php-pool"

/* The longest name of a pool. */
#define POOL_NAME_MAX 64

/*
 * True for what can name a pool: letters, digits, ".", "_", "-", not starting with "." or "-", and not
 * ending in ".sock": the pool's runtime directory would be where another pool has its socket.
 */
bool pool_name_valid(const char *name);

/*
 * The path of a pool's control socket, a new string: in $RUNTIME_DIRECTORY where the service manager set it
 * for this very pool (its last component is the pool's name), else in CONTROL_RUN_DIR. 0 or -ENOMEM.
 */
int control_socket_path(const char *pool, char **ret);
