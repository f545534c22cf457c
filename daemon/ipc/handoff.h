/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Connections on their way between the manager and its workers, over one SOCK_SEQPACKET pair a pool. To
 * hand a connection off is to pass it over this pair, in either direction:
 *
 *   to park it    a worker gives the manager a connection whose client has nothing (more) to say; the
 *                 manager keeps it and waits for the client
 *   to serve it   the manager gives it, once the client has said something, to whichever worker is idle
 *
 * The head of a request is all that comes before its body. A client that has sent part of a head and no
 * more holds no worker either: what was read of it, "the head" for short, goes with the connection, as a
 * sealed memfd that only workers look into (fcgi_decoder_save()), and so does the time by which the head
 * must be complete, which no hand-off starts anew.
 *
 * A worker that wants the pool's status sends a question the same way, with one end of a SOCK_SEQPACKET
 * pair of its own. The manager sends the page back over that, as a sealed memfd.
 *
 * A worker runs scripts, and can send anything. So each end takes the kinds that are for it and no others,
 * and only messages that are complete and free of contradictions.
 */

#include "base/fd.h"
#include "base/time.h"
#include "ipc/protocol.h"

/* The most that is passed on of a head, beyond what the bounds of base/params.h can make of one. */
#define HANDOFF_HEAD_MAX (4U * 1024U * 1024U)

/* Who takes messages from a socket. */
typedef enum HandoffTaker {
        HANDOFF_MANAGER,
        HANDOFF_WORKER,
        HANDOFF_ASKER, /* the worker that asked a question, from its own pair */
} HandoffTaker;

/* HANDOFF(kind, taker): what a message is; the descriptor that comes with it. */
#define HANDOFF_LIST                                                                                        \
        HANDOFF(PARK, MANAGER)     /* the connection */                                                     \
        HANDOFF(QUESTION, MANAGER) /* the socket to answer on */                                            \
        HANDOFF(SERVE, WORKER)     /* the connection */                                                     \
        HANDOFF(PAGE, ASKER)       /* the memfd with the page */

typedef enum HandoffKind {
        _HANDOFF_NONE, /* so that no message is all zero */
#define HANDOFF(kind, taker) HANDOFF_##kind,
        HANDOFF_LIST
#undef HANDOFF
        _HANDOFF_KIND_MAX,
} HandoffKind;

/* What must be known of a connection wherever it is served. */
typedef struct Origin {
        Protocol protocol;
        bool unix_socket; /* the connection is over AF_UNIX */
        int head;         /* what was read of a head; -EBADF for nothing */
        uint8_t moves;    /* how often this head went to the manager, 255 also for more; 0 without one */
        usec_t deadline;  /* CLOCK_MONOTONIC: when the head must be complete; 0 without one */
} Origin;

/* Closes the head, if there is one. */
void origin_close(Origin *origin);

/* What a worker wants to know. */
typedef struct HandoffQuestion {
        uint8_t format; /* status/dump.h's DumpFormat: whoever answers checks its range */
        bool full;      /* the page is to have the workers */
} HandoffQuestion;

typedef struct Handoff {
        HandoffKind kind;
        int fd; /* HANDOFF_LIST says which */
        union {
                Origin origin; /* HANDOFF_PARK, HANDOFF_SERVE */
                HandoffQuestion question;
        };
} Handoff;

/*
 * Sends a message with its descriptors, which stay the caller's. 0 or -errno; -EAGAIN when the queue is
 * full.
 */
int handoff_send(int socket, const Handoff *handoff);

/*
 * Receives one. 1 and a message, whose descriptors are CLOEXEC and the caller's (handoff_close()); 0 when
 * the other side is gone; -EAGAIN; -EBADMSG for what is no message, or none that this taker takes;
 * -EPROTONOSUPPORT for a connection of a protocol that this build does not speak; another -errno. Nothing
 * is left open but after 1.
 */
int handoff_receive(int socket, HandoffTaker taker, Handoff *ret);

/* Closes the descriptors of a message. */
void handoff_close(Handoff *handoff);

/* ---- The wire form: for this file, its tests and its fuzzer ---- */

#define HANDOFF_FDS_MAX 2

/* Both ends are of one build: ipc/inherit.h. What a kind does not use is zero. */
typedef struct HandoffMessage {
        uint8_t kind;        /* HandoffKind */
        uint8_t protocol;    /* of a connection: Protocol */
        uint8_t unix_socket; /* 0 or 1 */
        uint8_t moves;
        uint8_t format; /* of a question */
        uint8_t full;   /* 0 or 1 */
        uint8_t reserved[2];
        uint64_t deadline;
} HandoffMessage;
static_assert(sizeof(HandoffMessage) == 16, "no byte of a message is left unset");

/* Writes the message and its descriptors, HANDOFF_FDS_MAX at most; returns how many those are. */
size_t handoff_encode(const Handoff *handoff, HandoffMessage *ret, int fds[static HANDOFF_FDS_MAX]);

/*
 * Reads a message of this size, which came with these descriptors: they are the message's where it is 0, and
 * the caller's otherwise. 0, -EBADMSG or -EPROTONOSUPPORT, as above.
 */
int handoff_decode(const HandoffMessage *message, size_t size, const int *fds, size_t n_fds,
                   HandoffTaker taker, Handoff *ret);
