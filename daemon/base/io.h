/* SPDX-License-Identifier: MIT */
#pragma once

/* Reading and writing whole things. */

#include <sys/types.h>

#include "base/util.h"

/*
 * Writes all of it, going on after EINTR and short writes. 0 or -errno; part may be written after an error.
 */
int io_write_all(int fd, const void *data, size_t size);

/*
 * Reads from offset 0 to the end into a new buffer, which the caller frees; one more byte, a zero, stands
 * behind the data. -EFBIG when it is more than max bytes. 0 or -errno.
 */
int io_read_file(int fd, size_t max, void **ret_data, size_t *ret_size);
