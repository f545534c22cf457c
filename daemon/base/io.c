/* SPDX-License-Identifier: MIT */

/* Reading and writing whole things: see io.h. */

#include "base/io.h"

#include <sys/stat.h>
#include <unistd.h>

int io_write_all(int fd, const void *data, size_t size)
{
        const uint8_t *p = data;

        assert(data || size == 0);

        while (size > 0) {
                ssize_t n;

                n = write(fd, p, size);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

int io_read_file(int fd, size_t max, void **ret_data, size_t *ret_size)
{
        _cleanup_(freep) uint8_t *data = NULL;
        size_t capacity, size = 0;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;

        /*
         * A file that says 0 bytes may still have content (procfs); one that grows is read to its new end.
         */
        capacity = MAX((size_t) st.st_size, (size_t) 4096) + 1;
        for (;;) {
                ssize_t n;
                uint8_t *bigger;

                /* One byte beyond max tells a file that is larger. */
                if (capacity - 1 > max)
                        capacity = max + 1;
                bigger = realloc(data, capacity + 1);
                if (!bigger)
                        return -ENOMEM;
                data = bigger;

                n = pread(fd, data + size, capacity - size, (off_t) size);
                if (n < 0) {
                        if (errno == EINTR)
                                continue;
                        return -errno;
                }
                if (n == 0)
                        break;
                size += (size_t) n;
                if (size > max)
                        return -EFBIG;
                if (size == capacity)
                        capacity *= 2;
        }

        data[size] = 0;
        *ret_data = TAKE_PTR(data);
        if (ret_size)
                *ret_size = size;
        return 0;
}
