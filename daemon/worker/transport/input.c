/* SPDX-License-Identifier: MIT */

/*
 * The incoming half of a connection: see input.h. Bytes are decoded where recv(2) put them; a body goes from
 * here to the script's memory in one copy. Used by the files of fastcgi.h only.
 */

#include "worker/transport/input.h"

#include <sys/socket.h>

#include "fastcgi/decoder-save.h"

static void forget_replay(Input *i)
{
        if (i->bytes != i->buffer)
                free(i->bytes);
        i->bytes = i->buffer;
}

int input_init(Input *i)
{
        i->fd = -EBADF;
        i->bytes = i->buffer;
        i->start = i->end = 0;
        return fcgi_decoder_new(&i->decoder);
}

void input_done(Input *i)
{
        fcgi_decoder_free(i->decoder);
        i->decoder = NULL;
        forget_replay(i);
}

void input_reset(Input *i, int fd)
{
        i->fd = fd;
        i->start = i->end = 0;
        forget_replay(i);
        fcgi_decoder_reset(i->decoder);
}

void input_replay(Input *i, uint8_t *bytes, size_t size)
{
        assert(i->start == i->end && i->bytes == i->buffer);

        i->bytes = bytes;
        i->start = 0;
        i->end = size;
}

int input_save(const Input *i, uint8_t **ret, size_t *ret_size)
{
        return fcgi_decoder_save(i->decoder, i->bytes + i->start, i->end - i->start, ret, ret_size);
}

ssize_t input_read(Input *i)
{
        ssize_t n;

        assert(i->start == i->end);

        do
                n = recv(i->fd, i->buffer, sizeof i->buffer, MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return errno == EAGAIN ? 0 : errno == ETIMEDOUT ? -ECONNRESET : -errno; /* TCP gave it up */
        if (n == 0)
                return -ECONNRESET;

        forget_replay(i);
        i->start = 0;
        i->end = (size_t) n;
        return n;
}

int input_next(Input *i, FcgiItem *ret)
{
        size_t used = 0;
        int r;

        r = fcgi_decoder_next(i->decoder, i->bytes + i->start, i->end - i->start, &used, ret);
        if (r >= 0)
                i->start += used;
        return r;
}

bool input_pending(const Input *i)
{
        return i->start < i->end || fcgi_decoder_busy(i->decoder);
}

bool input_ahead(const Input *i)
{
        return i->start < i->end || fcgi_decoder_in_record(i->decoder);
}
