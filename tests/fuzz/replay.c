/* SPDX-License-Identifier: MIT */

/*
 * Runs a fuzzer's LLVMFuzzerTestOneInput() over the files named on the command line, and over all files in
 * the directories named there: a corpus becomes a test, without libFuzzer. It fails when there was nothing
 * to run.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"

/* The largest file that is replayed. */
#define INPUT_MAX (16U * 1024U * 1024U)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int complain(const char *path, int error)
{
        fprintf(stderr, "Failed to replay %s: %s\n", path, strerror(-error));
        return error;
}

static int replay_file(int fd, const char *path)
{
        _cleanup_(freep) void *data = NULL;
        _cleanup_(freep) uint8_t *input = NULL;
        size_t size;
        int r;

        r = io_read_file(fd, INPUT_MAX, &data, &size);
        if (r < 0)
                return complain(path, r);

        /* Memory of exactly that size, so that reading beyond it is found. */
        input = malloc(size);
        if (!input && size > 0)
                return complain(path, -ENOMEM);
        if (size > 0)
                memcpy(input, data, size);

        printf("%s\n", path);
        fflush(stdout);
        (void) LLVMFuzzerTestOneInput(input, size);
        return 1;
}

static int is_visible(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

static int replay(int at, const char *path);

static int replay_directory(int fd, const char *path)
{
        struct dirent **entries;
        int n, count = 0, r = 0;

        n = scandirat(fd, ".", &entries, is_visible, alphasort);
        if (n < 0)
                return complain(path, -errno);

        for (int i = 0; i < n; i++) {
                if (r >= 0)
                        r = replay(fd, entries[i]->d_name);
                if (r >= 0)
                        count += r;
                free(entries[i]);
        }
        free(entries);
        return r < 0 ? r : count;
}

/* Replays a file, or a directory with all that is in it. Returns the number of files or -errno. */
static int replay(int at, const char *path)
{
        _cleanup_(fd_closep) int fd = -EBADF;

        fd = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0)
                return replay_directory(fd, path);

        fd = openat(at, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return complain(path, -errno);
        return replay_file(fd, path);
}

int main(int argc, char *argv[])
{
        int count = 0;

        for (int i = 1; i < argc; i++) {
                int r;

                r = replay(AT_FDCWD, argv[i]);
                if (r < 0)
                        return EXIT_FAILURE;
                count += r;
        }

        if (count == 0) {
                fprintf(stderr, "Nothing to replay.\n");
                return EXIT_FAILURE;
        }
        printf("%d inputs replayed.\n", count);
        return EXIT_SUCCESS;
}
