/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * The control socket: sd-bus peer to peer between php-poolctl and the manager, as systemctl speaks to
 * /run/systemd/private. php-pool-control@POOL.socket makes it (POOL_SOCKET_CONTROL in names.def), for as
 * long as the pool's service is not stopped, and passes it to the manager. Only root can open it (mode
 * 0600), and the manager serves nobody else (SO_PEERCRED).
 *
 *   Reload()     returns when the new generation serves; fails with CONTROL_ERROR_RELOAD and the reason,
 *                lines of text
 *
 *   Stop()       returns at once; the pool drains, closes the connection, and exits
 *
 *   GetStatus()  → a{sv} the pool, aa{sv} its workers: keys are status.def's
 *
 * Both sides answer org.freedesktop.DBus.Peer.Ping(): while a Reload() or the end is waited for, it tells a
 * manager that works from one that is stuck.
 *
 * An upgrade replaces php-poolctl while managers run on: these methods and their signatures stay what they
 * are, php-poolctl leaves out what it does not know of a status, and says of a manager without a method
 * that the pool has to be restarted, which needs Stop() alone.
 *
 * The manager has the user that the pool's scripts have: php-poolctl, which root runs, takes it for what it
 * may have become, waits for no answer without a bound, escapes what it shows, and believes a pool only
 * about itself.
 */

#include "ipc/names.h"

#define CONTROL_OBJECT "/org/phppool/Pool1"
#define CONTROL_INTERFACE "org.phppool.Pool1"
#define CONTROL_ERROR_RELOAD "org.phppool.Error.ReloadFailed"
#define CONTROL_ERROR_STOPPING "org.phppool.Error.Stopping"
