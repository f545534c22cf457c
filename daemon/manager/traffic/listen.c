/* SPDX-License-Identifier: MIT */

/*
 * The sockets that systemd passed: see listen.h. Their names (FileDescriptorName=) say what they are for.
 * Those of the status and of the control socket are the manager's, and no worker ever has them.
 */

#include "manager/traffic/listen.h"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/text.h"
#include "config/settings.h"
#include "ipc/names.h"

static int check_socket(int fd, const char *name)
{
        int r;

        r = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1);
        if (r < 0)
                return log_error_errno(r, "Failed to check socket \"%s\" that systemd passed: %m", name);
        if (r == 0)
                return log_error_errno(EINVAL,
                                       "Descriptor \"%s\" that systemd passed is not a listening stream "
                                       "socket: use ListenStream= with Accept=no.",
                                       name);
        /*
         * Workers share the file status flags with us: this reaches them all. NonBlocking=yes says the same.
         */
        r = fd_nonblock(fd, true);
        if (r < 0)
                return log_error_errno(r, "Failed to make socket \"%s\" non-blocking: %m", name);
        return 0;
}

static int add_control(Listen *l, int fd)
{
        if (sd_is_socket(fd, AF_UNIX, 0, -1) <= 0)
                return log_error_errno(EINVAL,
                                       "The control socket has to be a Unix socket, where the kernel says "
                                       "who connects.");
        if (l->control >= 0)
                return log_error_errno(EINVAL, "systemd passed more than one control socket.");
        l->control = fd;
        return 0;
}

int listen_use_of_name(const char *name, ListenUse *ret_use, Protocol *ret_protocol)
{
        if (protocol_from_stored_name(name, ret_protocol) >= 0)
                *ret_use = LISTEN_PARKED;
        else if (protocol_from_name(name, strlen(name), ret_protocol) >= 0)
                *ret_use = LISTEN_SERVE;
        else if (streq(name, pool_socket_name(POOL_SOCKET_STATUS)))
                *ret_use = LISTEN_STATUS;
        else if (streq(name, pool_socket_name(POOL_SOCKET_CONTROL)))
                *ret_use = LISTEN_CONTROL;
        else {
                for (PoolSocket i = 0; i < _POOL_SOCKET_MAX; i++)
                        if (streq(name, pool_socket_name(i)))
                                return -EPROTONOSUPPORT;
                *ret_use = LISTEN_SERVE;
                *ret_protocol = PROTOCOL_FASTCGI;
        }
        return 0;
}

static int too_many(void)
{
        return log_error_errno(E2BIG, "systemd passed more than %u sockets.", INHERIT_LISTEN_MAX);
}

static int add_serve(Listen *l, int fd, Protocol protocol)
{
        if (l->n == INHERIT_LISTEN_MAX)
                return too_many();
        l->sockets[l->n++] = (ProtocolSocket) { .fd = fd, .protocol = protocol };
        return 0;
}

static int add_status(Listen *l, int fd)
{
        if (l->n_status == INHERIT_LISTEN_MAX)
                return too_many();
        l->status[l->n_status++] = fd;
        return 0;
}

static int listen_add(Listen *l, int fd, const char *name)
{
        Protocol protocol = PROTOCOL_FASTCGI;
        ListenUse use;
        int r;

        r = listen_use_of_name(name, &use, &protocol);
        if (r < 0)
                return log_error_errno(r,
                                       "Socket \"%s\" that systemd passed is for a protocol that this "
                                       "version of php-pool does not speak; a socket for FastCGI has "
                                       "FileDescriptorName=%s, or any name that is not php-pool's.",
                                       name, protocol_name(PROTOCOL_FASTCGI));
        if (use == LISTEN_PARKED) {
                l->parked[l->n_parked++] = (ProtocolSocket) { .fd = fd, .protocol = protocol };
                return 0;
        }

        r = check_socket(fd, name);
        if (r < 0)
                return r;
        if (use == LISTEN_CONTROL)
                return add_control(l, fd);
        l->over_ip = l->over_ip || sd_is_socket(fd, AF_UNIX, 0, -1) == 0;
        return use == LISTEN_STATUS ? add_status(l, fd) : add_serve(l, fd, protocol);
}

static int no_socket(const char *pool)
{
        return log_error_errno(ENOTCONN,
                               "No socket was passed: php-poold listens on what systemd holds, see "
                               "php-pool@%s.socket. Start it with: systemctl restart php-pool@%s.socket",
                               pool, pool);
}

int listen_take(const char *pool, Listen *ret)
{
        _cleanup_(strv_freep) char **names = NULL;
        Listen l = { .control = -EBADF };
        int n, r;

        n = sd_listen_fds_with_names(/* unset_environment= */ true, &names);
        if (n < 0)
                return log_error_errno(n, "Failed to take the sockets from systemd: %m");
        if (n == 0)
                return no_socket(pool);

        l.parked = calloc((size_t) n, sizeof *l.parked);
        if (!l.parked)
                return log_error_errno(ENOMEM, "Failed to take the sockets from systemd: %m");

        for (int i = 0; i < n; i++) {
                r = listen_add(&l, SD_LISTEN_FDS_START + i, names[i]);
                if (r < 0) {
                        free(l.parked);
                        return r;
                }
        }

        if (l.n == 0) { /* a status alone serves nobody */
                free(l.parked);
                return no_socket(pool);
        }
        if (l.control < 0)
                log_warning("systemd passed no control socket, so php-poolctl cannot reach this pool: see "
                            "php-pool-control@%s.socket. After an update of php-pool, use systemctl "
                            "daemon-reload, and restart the pool.",
                            pool);
        *ret = l;
        return 0;
}

void listen_close(Listen *l)
{
        for (size_t i = 0; i < l->n; i++)
                fd_close(l->sockets[i].fd);
        for (size_t i = 0; i < l->n_status; i++)
                fd_close(l->status[i]);
        for (size_t i = 0; i < l->n_parked; i++)
                fd_close(l->parked[i].fd);
        fd_close(l->control);
        free(l->parked);
        *l = (Listen){ .control = -EBADF };
}
