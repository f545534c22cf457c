/* SPDX-License-Identifier: MIT */

/* The messages between php-pool-sendmail and php-pool-sendmaild: see message.h. Pure. */

#include "sendmail/message.h"

#include <stdio.h>

#define REQUEST_MAGIC 0x314d5050U /* "PPM1" */
#define REPLY_MAGIC 0x31525050U   /* "PPR1" */

typedef struct MailRequestHeader {
        uint32_t magic;
        uint32_t n_arguments; /* strings that follow, each with its zero */
} MailRequestHeader;

int mail_request_encode(char *const *argv, void **ret_data, size_t *ret_size)
{
        MailRequestHeader header = { .magic = REQUEST_MAGIC };
        size_t size = sizeof header;
        char *data, *p;

        for (; argv[header.n_arguments]; header.n_arguments++) {
                size += strlen(argv[header.n_arguments]) + 1;
                if (header.n_arguments >= MAIL_ARGUMENTS_MAX || size > MAIL_REQUEST_MAX)
                        return -E2BIG;
        }

        data = malloc(size);
        if (!data)
                return -ENOMEM;
        memcpy(data, &header, sizeof header);
        p = data + sizeof header;
        for (; *argv; argv++)
                p = stpcpy(p, *argv) + 1;
        *ret_data = data;
        *ret_size = size;
        return 0;
}

int mail_request_decode(char *data, size_t size, char ***ret_argv)
{
        _cleanup_(freep) char **argv = NULL;
        MailRequestHeader header;
        char *p = data + sizeof header, *end = data + size;

        if (size < sizeof header || size > MAIL_REQUEST_MAX)
                return -EBADMSG;
        memcpy(&header, data, sizeof header);
        if (header.magic != REQUEST_MAGIC || header.n_arguments > MAIL_ARGUMENTS_MAX)
                return -EBADMSG;

        argv = calloc(header.n_arguments + 2, sizeof *argv);
        if (!argv)
                return -ENOMEM;
        for (uint32_t i = 0; i < header.n_arguments; i++) {
                char *zero = memchr(p, 0, (size_t) (end - p));

                if (!zero)
                        return -EBADMSG;
                argv[i + 1] = p;
                p = zero + 1;
        }
        if (p != end)
                return -EBADMSG;
        *ret_argv = TAKE_PTR(argv);
        return 0;
}

MailReply mail_reply(MailReplyKind kind, int status, bool logged, const char *text)
{
        MailReply reply = {
                .magic = REPLY_MAGIC, .kind = kind, .status = (uint32_t) status, .logged = logged
        };

        assert(kind < _MAIL_REPLY_KIND_MAX);
        assert(status >= 0 && status <= 255);

        (void) snprintf(reply.text, sizeof reply.text, "%s", text ?: "");
        return reply;
}

bool mail_reply_valid(const MailReply *reply, size_t size)
{
        return size == sizeof *reply && reply->magic == REPLY_MAGIC && reply->kind < _MAIL_REPLY_KIND_MAX &&
               reply->status <= 255 && memchr(reply->text, 0, sizeof reply->text);
}
