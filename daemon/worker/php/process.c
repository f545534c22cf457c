/* SPDX-License-Identifier: MIT */

/* What lives as long as the process, and holds no code: see process.h. */

#include "worker/php/process.h"

PhpProcess php_process = { .handoff = -EBADF };
