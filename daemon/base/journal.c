/* SPDX-License-Identifier: MIT */

/*
 * The client's side of journald's native protocol: see journal.h. A field is a line "NAME=value"; a value
 * with a newline in it stands behind its name and its length instead. Keeps no state; a record is its
 * caller's.
 */

#include "base/journal.h"

#include <endian.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The most bytes that may be on their way to journald; the system may allow less (net.core.wmem_max). */
#define SEND_BUFFER (8 * 1024 * 1024)

static void record_append(JournalRecord *r, const void *bytes, size_t size)
{
        assert(size <= sizeof r->bytes - r->size);

        memcpy(r->bytes + r->size, bytes, size);
        r->size += size;
}

static bool record_has_room(const JournalRecord *r, size_t size)
{
        return size <= sizeof r->bytes - r->size;
}

void journal_record_add(JournalRecord *r, const char *name, const char *value, size_t size)
{
        uint64_t length = htole64(size);
        size_t n = strlen(name);

        assert(*name);
        assert(value || size == 0);

        if (size > sizeof r->bytes || !record_has_room(r, n + size + 2 + sizeof length))
                return;
        record_append(r, name, n);
        if (memchr(value, '\n', size)) {
                record_append(r, "\n", 1);
                record_append(r, &length, sizeof length);
        } else
                record_append(r, "=", 1);
        record_append(r, value, size);
        record_append(r, "\n", 1);
}

void journal_record_add_pair(JournalRecord *r, const char *pair)
{
        size_t size = strlen(pair);

        assert(strchr(pair, '=') && !strchr(pair, '\n'));

        if (!record_has_room(r, size + 1))
                return;
        record_append(r, pair, size);
        record_append(r, "\n", 1);
}

int journal_open(void)
{
        int fd, size = SEND_BUFFER;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        return fd;
}

/*
 * When the time is up, sendto(2) fails with -EAGAIN, as it does without a time. poll(2) does not help: it
 * knows of the queue of the other end only on a socket that is connected.
 */
static ssize_t send_within(int fd, const JournalRecord *r, const struct sockaddr_un *to, usec_t wait)
{
        usec_t now = now_monotonic(), end = usec_add(now, wait);
        ssize_t n;

        do {
                usec_t left = MAX(usec_sub(end, now), (usec_t) 1); /* 0 would be for ever */
                struct timeval timeout = {
                        .tv_sec = (time_t) (left / USEC_PER_SEC),
                        .tv_usec = (suseconds_t) (left % USEC_PER_SEC),
                };

                if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0)
                        return -1;
                n = sendto(fd, r->bytes, r->size, MSG_NOSIGNAL, (const struct sockaddr *) to, sizeof *to);
                now = now_monotonic();
        } while (n < 0 && errno == EINTR && now < end);
        if (n < 0 && errno == EINTR)
                errno = EAGAIN;
        return n;
}

/* Not connected: systemd may make the socket anew at any time. */
int journal_send(int fd, const char *path, const JournalRecord *record, usec_t wait)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t n = strlen(path);
        ssize_t sent;

        assert(record->size > 0);

        if (n >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, n);
        sent = sendto(fd, record->bytes, record->size, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (struct sockaddr *) &address, sizeof address);
        if (sent < 0 && errno == EAGAIN && wait > 0)
                sent = send_within(fd, record, &address, wait);
        return sent < 0 ? -errno : 0;
}
