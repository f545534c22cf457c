/* SPDX-License-Identifier: MIT */

/* What a client has not taken yet: see outbox.h. It owns memory and no descriptor, and never waits. */

#include "manager/face/outbox.h"

#include <sys/socket.h>

size_t outbox_pending(const Outbox *o)
{
        return o->size - o->sent;
}

uint8_t *outbox_extend(Outbox *o, size_t size)
{
        uint8_t *bytes;

        assert(size > 0);

        bytes = realloc(o->bytes, o->size + size);
        if (!bytes)
                return NULL;
        o->bytes = bytes;
        o->size += size;
        return bytes + o->size - size;
}

int outbox_append(Outbox *o, const void *bytes, size_t size)
{
        uint8_t *p;

        p = outbox_extend(o, size);
        if (!p)
                return -ENOMEM;
        memcpy(p, bytes, size);
        return 0;
}

int outbox_send(Outbox *o, int socket)
{
        while (outbox_pending(o) > 0) {
                ssize_t n;

                n = send(socket, o->bytes + o->sent, outbox_pending(o), MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN ? 0 : -errno;
                o->sent += (size_t) n;
        }
        outbox_clear(o);
        return 1;
}

void outbox_clear(Outbox *o)
{
        free(o->bytes);
        *o = (Outbox) {};
}
