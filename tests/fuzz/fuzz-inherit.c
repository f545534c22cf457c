/* SPDX-License-Identifier: MIT */

/*
 * Arguments of a worker, one a line: those that are taken name descriptors that are open, and come back the
 * same when they are written again.
 */

#include "input.h"
#include "ipc/inherit.h"

#define ARGUMENTS_MAX 64

/* Written and read again it is the same. */
static void check_again(const Inherit *inherit)
{
        int fds[INHERIT_MAX], again_fds[INHERIT_MAX];
        size_t n = inherit_list(inherit, fds);
        Inherit again;
        char **argv;
        int argc = 0;

        CHECK(inherit_format(inherit, "worker", "pool", &argv) == 0);
        while (argv[argc])
                argc++;
        CHECK(inherit_is_same_build(argc, argv));
        CHECK(inherit_parse(argc - INHERIT_ARGV_FIRST, argv + INHERIT_ARGV_FIRST, &again) == 0);
        CHECK(inherit_list(&again, again_fds) == n && memcmp(fds, again_fds, n * sizeof *fds) == 0);
        inherit_argv_free(argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        char *argv[ARGUMENTS_MAX + 1] = {};
        Input in = { data, size };
        Inherit inherit;
        int argc = 0, r;

        while (in.left > 0 && argc < ARGUMENTS_MAX)
                argv[argc++] = input_line(&in);
        (void) inherit_is_same_build(argc, argv);
        r = inherit_parse(argc, argv, &inherit);
        CHECK(r <= 0);
        if (r == 0)
                check_again(&inherit);
        for (int i = 0; i < argc; i++)
                free(argv[i]);
        return 0;
}
