/* SPDX-License-Identifier: MIT */

/*
 * security.script_root: only scripts below one directory run. What is judged is not the path that a request
 * names but the file that PHP opened for it, by the name that the kernel gives to the descriptor: whatever
 * links, PHP's cache of resolved paths, doc_root or a stream wrapper made of the path, and whatever changes
 * under it meanwhile, nothing else is compiled. Where opcache has the script already, nothing is opened, and
 * the name is the one that it was compiled under, with links resolved then: PHP runs that code, and no
 * other, for this request. Of a primary script only: what it includes is open_basedir's matter.
 */

#include "worker/php/internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The name of an open file, without links. 0 or -errno; -ENAMETOOLONG where it is longer than a path is. */
static int file_name(int fd, char ret[static PATH_MAX])
{
        char link[sizeof "/proc/self/fd/" + 16];
        ssize_t n;

        (void) snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        n = readlink(link, ret, PATH_MAX);
        if (n < 0)
                return -errno;
        if (n == PATH_MAX)
                return -ENAMETOOLONG;
        ret[n] = 0;
        return 0;
}

static int resolve(const char *directory, char ret[static PATH_MAX])
{
        int fd, r;

        fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = faccessat(fd, ".", X_OK, AT_EACCESS) < 0 ? -errno : file_name(fd, ret);
        (void) close(fd);
        return r;
}

int root_resolve(const char *directory, const char **ret_why)
{
        static char why[PATH_MAX + 128];
        int r;

        if (!*directory)
                return 0;
        r = resolve(directory, php_process.script_root);
        if (r < 0) {
                (void) snprintf(why, sizeof why, "security.script_root \"%s\" cannot be used: %s.",
                                directory, strerror(-r));
                *ret_why = why;
        }
        return r;
}

/* The descriptor of what PHP opened, -EBADF for none. */
static int opened_fd(const zend_file_handle *file)
{
        int fd = -EBADF;

        if (file->type != ZEND_HANDLE_STREAM ||
            php_stream_cast((php_stream *) file->handle.stream.handle,
                            PHP_STREAM_AS_FD_FOR_SELECT | PHP_STREAM_CAST_INTERNAL, (void **) &fd,
                            false) != SUCCESS)
                return -EBADF;
        return fd;
}

bool root_holds(const zend_file_handle *file)
{
        const char *root = php_process.script_root;
        char name[PATH_MAX];

        if (!*root)
                return true;
        /* Opcache has it: nothing was opened. */
        if (file->type == ZEND_HANDLE_FILENAME)
                return file->opened_path && script_is_below(ZSTR_VAL(file->opened_path), root);
        return file_name(opened_fd(file), name) >= 0 && script_is_below(name, root);
}
