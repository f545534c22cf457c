/* SPDX-License-Identifier: MIT */

/*
 * Any bytes behind the first word of the sealed form: what is accepted must be written again as the same
 * bytes. A unit test changes each byte of that word.
 */

#include <stdlib.h>

#include "base/fd.h"
#include "base/io.h"
#include "config/config.h"

#define HEADER_SIZE 8 /* SEAL_MAGIC in seal.c */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sealed form of a Config as a new buffer. */
static uint8_t *sealed_bytes(const Config *config, size_t *ret_size)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        void *bytes;

        if (config_seal(config, &fd) < 0 || io_read_file(fd, SIZE_MAX, &bytes, ret_size) < 0)
                abort();
        return bytes;
}

/* The header and data behind it as a new buffer. */
static uint8_t *with_header(const uint8_t *data, size_t size)
{
        _cleanup_(config_freep) Config *defaults = NULL;
        _cleanup_(freep) uint8_t *sealed = NULL;
        uint8_t *bytes = malloc(HEADER_SIZE + size);
        size_t sealed_size;

        if (!bytes || config_new(&defaults) < 0)
                abort();
        sealed = sealed_bytes(defaults, &sealed_size);
        memcpy(bytes, sealed, HEADER_SIZE);
        if (size > 0)
                memcpy(bytes + HEADER_SIZE, data, size);
        return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) uint8_t *bytes = with_header(data, size), *copy = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        size_t copy_size;
        int r;

        if (fd_new_sealed_memfd("fuzz", bytes, HEADER_SIZE + size, &fd) < 0)
                return 0;
        r = config_unseal(fd, &config);
        if (r < 0) {
                if (r != -EBADMSG && r != -ENOMEM)
                        abort();
                return 0;
        }

        copy = sealed_bytes(config, &copy_size);
        if (copy_size != HEADER_SIZE + size || memcmp(copy, bytes, copy_size) != 0)
                abort();
        return 0;
}
