/* SPDX-License-Identifier: MIT */

/*
 * Walks a directory of session files as root: see sessions.h. The pool's user may own the directory and
 * change it meanwhile. So each name is looked at below an open directory, no link is followed, and only
 * the user's own files are ever touched.
 */

#include "ctl/sessions.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

typedef struct Walk {
        uid_t uid;
        uint64_t seconds;
        time_t now;
        bool clean;
} Walk;

static bool is_session(const Walk *w, const struct stat *st)
{
        return S_ISREG(st->st_mode) && st->st_uid == w->uid;
}

/*
 * Setting a file's times, even to what they are, gives it a new time of change. The name might be another
 * file's meanwhile, so the file is opened and looked at once more.
 */
static void keep_file(const Walk *w, int directory, const char *name)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        struct stat st;

        fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 && fstat(fd, &st) >= 0 && is_session(w, &st))
                (void) futimens(fd, (struct timespec[]){ st.st_atim, st.st_mtim });
}

/* unlinkat() removes a name in the user's directory, whatever file has that name by then. */
static void tend_file(const Walk *w, int directory, const char *name, const struct stat *st)
{
        if (st->st_mtime > w->now || (uint64_t) (w->now - st->st_mtime) <= w->seconds)
                keep_file(w, directory, name);
        else if (w->clean)
                (void) unlinkat(directory, name, 0);
}

/*
 * Each of PHP's directories is named by one character of the session's id. Others are left alone: a
 * directory may be a link of the user's to anywhere, and this is no search of the machine.
 */
static bool is_of_sessions(const char *name, const struct stat *st)
{
        return S_ISDIR(st->st_mode) && *name != '.' && !name[1];
}

static int walk_directory(const Walk *w, int fd, unsigned depth);

/* fd is taken over. */
static int walk_below(const Walk *w, int directory, const char *name, unsigned depth)
{
        int fd = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (fd < 0)
                return -errno;
        return walk_directory(w, fd, depth);
}

static int walk_directory(const Walk *w, int fd, unsigned depth)
{
        DIR *d = fdopendir(fd);
        struct dirent *entry;

        if (!d) {
                int r = -errno;

                fd_close(fd);
                return r;
        }
        while ((entry = readdir(d))) {
                struct stat st;

                if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue;
                if (is_session(w, &st) && startswith(entry->d_name, "sess_"))
                        tend_file(w, fd, entry->d_name, &st);
                else if (is_of_sessions(entry->d_name, &st) && depth < SESSIONS_DEPTH_MAX)
                        (void) walk_below(w, fd, entry->d_name, depth + 1);
        }
        (void) closedir(d);
        return 0;
}

int sessions_tend(const char *directory, uid_t uid, uint64_t seconds, bool clean)
{
        const Walk w = { .uid = uid, .seconds = seconds, .now = time(NULL), .clean = clean };
        int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        return fd < 0 ? -errno : walk_directory(&w, fd, 0);
}
