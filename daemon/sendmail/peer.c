/* SPDX-License-Identifier: MIT */

/* The peer of a connection: see peer.h. Only the kernel is believed, never the peer. */

#include "sendmail/peer.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <systemd/sd-login.h>
#include <unistd.h>

#include "base/text.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/*
 * The right to listen on ports below 1024. Every container has some capabilities; of those, this is the
 * one with which a sendmail can do least.
 */
#define SHIELD CAP_NET_BIND_SERVICE

/* What the kernel allows (NGROUPS_MAX). */
#define GROUPS_MAX 65536U

static int read_groups(int socket, Peer *peer)
{
        socklen_t size = 0;

        if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) >= 0)
                return 0;
        if (errno != ERANGE || size > GROUPS_MAX * sizeof(gid_t))
                return errno == ERANGE ? -E2BIG : -errno;
        peer->groups = malloc(size);
        if (!peer->groups)
                return -ENOMEM;
        if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, peer->groups, &size) < 0)
                return -errno;
        peer->n_groups = size / sizeof(gid_t);
        return 0;
}

int peer_read(int socket, Peer *ret)
{
        struct ucred credentials;
        socklen_t size = sizeof credentials;

        *ret = (Peer){};
        if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
                return -errno;
        ret->pid = credentials.pid;
        ret->uid = credentials.uid;
        ret->gid = credentials.gid;
        (void) sd_peer_get_unit(socket, &ret->unit);
        return read_groups(socket, ret);
}

void peer_clear(Peer *peer)
{
        free(peer->groups);
        free(peer->unit);
        *peer = (Peer){};
}

/*
 * Makes this process, and the program that it executes, keep the capability SHIELD and no other. A pool's
 * sandbox leaves a process less than that, so the kernel lets no process of the sandbox in: see
 * capabilities(7), ptrace(2).
 */
static int keep_shield(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { .permitted = 1U << SHIELD,
                                                                           .inheritable = 1U << SHIELD } };

        if (syscall(SYS_capset, &header, data) < 0 ||
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, SHIELD, 0, 0) < 0)
                return -errno;
        return 0;
}

int peer_become(const Peer *peer)
{
        assert(peer->uid != 0);

        if (prctl(PR_SET_KEEPCAPS, 1) < 0 || setgroups(peer->n_groups, peer->groups) < 0 ||
            setresgid(peer->gid, peer->gid, peer->gid) < 0 || setresuid(peer->uid, peer->uid, peer->uid) < 0)
                return -errno;
        return keep_shield();
}

static int set_variable(char **environment, size_t i, const char *name, const char *value)
{
        if (asprintf(&environment[i], "%s=%s", name, value) >= 0)
                return 0;
        environment[i] = NULL;
        return -ENOMEM;
}

int peer_environment(const Peer *peer, char ***ret)
{
        struct passwd *user = getpwuid(peer->uid);
        _cleanup_(strv_freep) char **environment = NULL;
        char number[16];
        const char *name;

        (void) snprintf(number, sizeof number, "%u", peer->uid);
        name = user ? user->pw_name : number;

        environment = calloc(5, sizeof *environment);
        if (!environment)
                return -ENOMEM;
        environment[0] = strdup(PATH);
        if (!environment[0] || set_variable(environment, 1, "HOME", "/nonexistent") < 0 ||
            set_variable(environment, 2, "USER", name) < 0 ||
            set_variable(environment, 3, "LOGNAME", name) < 0)
                return -ENOMEM;
        *ret = TAKE_PTR(environment);
        return 0;
}
