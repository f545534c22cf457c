/* SPDX-License-Identifier: MIT */

/*
 * Any bytes as a pool file. What is accepted must come out of the sealed form as it went in; what is refused
 * must come with an error.
 *
 * libconfig 1.5 leaks the strings it holds when it meets a syntax error; that is not counted as ours (a long
 * run is faster with -detect_leaks=0). Includes are read by scan.c, so they are part of what is tried;
 * relative ones start at a directory that is not there.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "libconfig-leaks.h"
#include "poolfile/dump.h"
#include "poolfile/parse.h"

#define NAME "/nonexistent/pool.conf"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *dump(const Config *config)
{
        char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        if (!f)
                abort();
        config_dump(config, f);
        if (fclose(f) != 0)
                abort();
        return text;
}

static void check_sealed(const Config *config)
{
        _cleanup_(config_freep) Config *copy = NULL;
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) char *a = NULL, *b = NULL;

        if (config_seal(config, &fd) < 0 || config_unseal(fd, &copy) < 0)
                abort();
        a = dump(config);
        b = dump(copy);
        if (!streq(a, b))
                abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        _cleanup_(config_errors_clear) ConfigErrors errors = {};
        _cleanup_(config_freep) Config *config = NULL;
        _cleanup_(freep) char *text = NULL;
        int r;

        text = malloc(size + 1);
        if (!text)
                return 0;
        if (size > 0)
                memcpy(text, data, size);
        text[size] = 0;

        r = config_parse_string(NAME, text, &config, &errors);
        if (r == 0)
                check_sealed(config);
        if ((r == 0) != (errors.n == 0) || (r != 0 && (r != -EINVAL || config)))
                abort();
        for (size_t i = 0; i < errors.n; i++) {
                _cleanup_(freep) char *line = NULL;

                if (config_error_format(&errors.items[i], &line) < 0)
                        abort();
        }
        return 0;
}
