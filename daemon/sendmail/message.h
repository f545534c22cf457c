/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * What php-pool-sendmail and php-pool-sendmaild say to each other, a SOCK_SEQPACKET message each:
 *
 *   client → server   the arguments, with standard input, output and error (SCM_RIGHTS)
 *   server → client   MAIL_WAIT as soon as it has taken the connection, then MAIL_DONE
 *
 * An upgrade replaces the client while a server runs, so the two may be of different versions: these
 * messages stay what they are, byte by byte.
 *
 * Pure. Either side may be somebody else's program: what comes is checked here, whole, or refused.
 */

#include "base/util.h"

/* No pool has its socket or directory here: those are below /run/php-pool. */
#define MAIL_SOCKET "/run/php-pool-sendmail/socket"

#define MAIL_FDS 3
#define MAIL_ARGUMENTS_MAX 1024U
#define MAIL_REQUEST_MAX (64U * 1024U)
#define MAIL_TEXT_MAX 512U

typedef enum MailReplyKind {
        MAIL_WAIT, /* the server has the connection: from now on, sendmail may take its time */
        MAIL_DONE,
        _MAIL_REPLY_KIND_MAX,
} MailReplyKind;

typedef struct MailReply {
        uint32_t magic;
        uint32_t kind;
        uint32_t status;          /* MAIL_DONE: exit status for the client, 0 to 255 */
        uint32_t logged;          /* the server has logged the text */
        char text[MAIL_TEXT_MAX]; /* a sentence for standard error, empty for none; ends with a zero */
} MailReply;

/*
 * Writes the arguments, without the program's name, into a new buffer that the caller frees. -E2BIG for too
 * many or too long ones; 0 or -errno.
 */
int mail_request_encode(char *const *argv, void **ret_data, size_t *ret_size);

/*
 * Reads the arguments: *ret_argv is a new NULL-terminated array, which the caller frees; its strings are
 * data's. *ret_argv[0] is left free for the program's name: NULL until the caller sets it. -EBADMSG for
 * anything else; 0 or -errno.
 */
int mail_request_decode(char *data, size_t size, char ***ret_argv);

/* A reply; text may be NULL, and is cut. */
MailReply mail_reply(MailReplyKind kind, int status, bool logged, const char *text);

/* Whether size bytes are a reply that can be used. */
bool mail_reply_valid(const MailReply *reply, size_t size);
