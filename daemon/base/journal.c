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

/* What is on its way to journald may be so much; the system may allow less (net.core.wmem_max). */
#define SEND_BUFFER (8 * 1024 * 1024)

static void append(JournalRecord *r, const void *bytes, size_t size)
{
        memcpy(r->bytes + r->size, bytes, size);
        r->size += size;
}

static bool has_room(const JournalRecord *r, size_t size)
{
        return size <= sizeof r->bytes - r->size;
}

void journal_record_add(JournalRecord *r, const char *name, const char *value, size_t size)
{
        uint64_t length = htole64(size);
        size_t n = strlen(name);

        if (size > sizeof r->bytes || !has_room(r, n + size + 2 + sizeof length))
                return;
        append(r, name, n);
        if (memchr(value, '\n', size)) {
                append(r, "\n", 1);
                append(r, &length, sizeof length);
        } else
                append(r, "=", 1);
        append(r, value, size);
        append(r, "\n", 1);
}

void journal_record_add_pair(JournalRecord *r, const char *pair)
{
        size_t size = strlen(pair);

        if (!has_room(r, size + 1))
                return;
        append(r, pair, size);
        append(r, "\n", 1);
}

int journal_open(void)
{
        int fd, size = SEND_BUFFER;

        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        return fd;
}

/* Not connected: systemd may make the socket anew at any time. */
int journal_send(int fd, const char *path, const JournalRecord *record)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        size_t n = strlen(path);

        if (n >= sizeof address.sun_path)
                return -ENAMETOOLONG;
        memcpy(address.sun_path, path, n);
        if (sendto(fd, record->bytes, record->size, MSG_DONTWAIT | MSG_NOSIGNAL,
                   (struct sockaddr *) &address, sizeof address) < 0)
                return -errno;
        return 0;
}
