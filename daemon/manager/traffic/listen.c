/* SPDX-License-Identifier: MIT */

/*
 * The sockets that systemd passed: see listen.h. Whatever their names (FileDescriptorName=), they carry
 * FastCGI for the workers; but for those named "status" and "control", which are the manager's and which no
 * worker ever has, and for connections that the manager before us left in the descriptor store.
 */

#include "manager/traffic/listen.h"

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/text.h"
#include "config/settings.h"
#include "ipc/names.h"
#include "manager/traffic/parking.h"

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

static int listen_add(Listen *l, int fd, const char *name)
{
        bool status = streq(name, pool_socket_name(POOL_SOCKET_STATUS));
        int *fds = status ? l->status : l->fds, r;
        size_t *n = status ? &l->n_status : &l->n;

        r = check_socket(fd, name);
        if (r < 0)
                return r;
        if (streq(name, pool_socket_name(POOL_SOCKET_CONTROL)))
                return add_control(l, fd);
        if (*n == INHERIT_LISTEN_MAX)
                return log_error_errno(E2BIG, "systemd passed more than %u sockets.", INHERIT_LISTEN_MAX);

        fds[(*n)++] = fd;
        l->over_ip = l->over_ip || sd_is_socket(fd, AF_UNIX, 0, -1) == 0;
        return 0;
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
                int fd = SD_LISTEN_FDS_START + i;

                if (streq(names[i], PARKING_STORE_NAME)) {
                        l.parked[l.n_parked++] = fd;
                        continue;
                }
                r = listen_add(&l, fd, names[i]);
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
                fd_close(l->fds[i]);
        for (size_t i = 0; i < l->n_status; i++)
                fd_close(l->status[i]);
        for (size_t i = 0; i < l->n_parked; i++)
                fd_close(l->parked[i]);
        fd_close(l->control);
        free(l->parked);
        *l = (Listen){ .control = -EBADF };
}
