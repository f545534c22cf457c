/* SPDX-License-Identifier: MIT */

/* Any bytes as the sealed form of settings: what is accepted must be written again as the same bytes. */

#include "base/fd.h"
#include "base/io.h"
#include "config/config.h"
#include "input.h"

/* The sealed form of a Config as a new buffer. */
static uint8_t *sealed_bytes(const Config *config, size_t *ret_size)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        void *bytes;

        CHECK(config_seal(config, &fd) == 0 && io_read_file(fd, SIZE_MAX, &bytes, ret_size) >= 0);
        return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) uint8_t *copy = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t copy_size;
        int r;

        if (fd_new_sealed_memfd("fuzz", data, size, &fd) < 0)
                return 0;
        r = config_unseal(fd, &config);
        CHECK(r == 0 || r == -EBADMSG || r == -ENOMEM);
        if (r < 0)
                return 0;

        copy = sealed_bytes(config, &copy_size);
        CHECK(copy_size == size && memcmp(copy, data, size) == 0);
        return 0;
}
