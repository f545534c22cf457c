/* SPDX-License-Identifier: MIT */

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "helpers/directory.h"
#include "helpers/unit.h"

#define WALK_FDS_MAX 16

void directory_make(Directory *d)
{
        strcpy(d->path, "/tmp/php-pool-test-XXXXXX");
        assert_non_null(mkdtemp(d->path));
}

static int remove_entry(const char *path, const struct stat *st _unused_, int type _unused_,
                        struct FTW *ftw _unused_)
{
        return remove(path);
}

void directory_remove(const Directory *d)
{
        assert_int_equal(nftw(d->path, remove_entry, WALK_FDS_MAX, FTW_DEPTH | FTW_PHYS), 0);
}

char *directory_path(const Directory *d, const char *name)
{
        char *path;

        assert_true(asprintf(&path, "%s/%s", d->path, name) > 0);
        return path;
}

/* The path of a name in directories that are there now; the caller frees it. */
static char *make_place(const Directory *d, const char *name)
{
        char *path = directory_path(d, name);

        for (char *slash = strchr(path + strlen(d->path) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
                *slash = 0;
                (void) mkdir(path, 0755);
                *slash = '/';
        }
        return path;
}

void directory_write(const Directory *d, const char *name, const void *data, size_t size)
{
        _cleanup_(freep) char *path = make_place(d, name);
        _cleanup_(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

        assert_true(fd >= 0);
        assert_int_equal(io_write_all(fd, data, size), 0);
}

void directory_write_text(const Directory *d, const char *name, const char *text)
{
        directory_write(d, name, text, strlen(text));
}

void directory_link(const Directory *d, const char *name, const char *target)
{
        _cleanup_(freep) char *path = make_place(d, name);

        assert_int_equal(symlink(target, path), 0);
}
