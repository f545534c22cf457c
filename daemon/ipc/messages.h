/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What manager and template say to each other over their SOCK_SEQPACKET pair (the "channel"). Both ends are
 * of one build, and a template is a child of the manager: messages are plain structs, checked for size and
 * range all the same, since a template runs PHP. Either end closing it is the end: a template exits when the
 * manager is gone.
 */

#include <sys/types.h>

#include "base/fd.h"

/* The most workers of one IPC_SPAWN. */
#define IPC_SPAWN_MAX 32
#define IPC_TEXT_MAX 1024
#define IPC_VERSION_MAX 32

/*
 * What is written to a worker's retire eventfd: end after the request at hand. A connection that was
 * announced to this worker alone goes to others, by the manager; but where the pool stops, it is served.
 */
#define IPC_RETIRE 1
#define IPC_RETIRE_STOP 2 /* also both added up, which is what an eventfd does */

/*
 * Tells a worker that the request which the scoreboard condemns is to end. It comes while the script runs,
 * or too late, and then means nothing.
 */
#define IPC_INTERRUPT_SIGNAL SIGUSR1

typedef enum IpcType {
        IPC_STARTED, /* template: PHP is up, workers may be ordered */
        IPC_FAILED,  /* template: PHP did not start, and why; it exits */
        IPC_SPAWN,   /* manager: fork n workers; with n descriptors, each worker's retire eventfd in order */
        IPC_SPAWNED, /* launcher: these were forked; sent before the launcher exits, so that the manager
                      * knows each pid before the kernel can report its death */
        IPC_SPAWN_FAILED, /* template: these were not, or nobody knows; error says why */
        IPC_TRACE, /* manager: log where the script of workers[0] is, if it still runs one; no answer */
        _IPC_TYPE_MAX,
} IpcType;

typedef struct IpcWorker {
        uint32_t slot; /* of the generation's scoreboard */
        pid_t pid;     /* 0 where there is none */
} IpcWorker;

typedef struct IpcMessage {
        IpcType type;
        int error;  /* errno value, positive; IPC_SPAWN_FAILED */
        uint32_t n; /* of workers[] */
        IpcWorker workers[IPC_SPAWN_MAX];
        char version[IPC_VERSION_MAX]; /* IPC_STARTED: PHP's */
        char text[IPC_TEXT_MAX]; /* IPC_FAILED: why; IPC_STARTED: what is wrong all the same, "" for nothing:
                                  * an extension that could not be loaded, a warm-up that failed */
} IpcMessage;

/*
 * Sends one message with its descriptors, which stay the caller's: n of them for IPC_SPAWN, none for
 * another. 0 or -errno (fd_send()).
 */
int ipc_send(int channel, const IpcMessage *message, const int *fds, size_t n_fds);

/*
 * Receives one message. 1 for a message, 0 at the end of the channel, -EBADMSG for one that is out of range
 * or whose number of descriptors does not fit its type, or -errno; -EAGAIN when there is none on a
 * non-blocking channel. The descriptors, at most IPC_SPAWN_MAX of them, are the caller's.
 */
int ipc_receive(int channel, IpcMessage *ret, int fds[static IPC_SPAWN_MAX]);
