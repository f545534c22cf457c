/* SPDX-License-Identifier: MIT */

/*
 * What scripts, and programs that they run, write to standard error or output. The journal gets it by two
 * streams.
 *
 * The script itself has its worker's, so that its lines do not mix with those of other workers.
 * Its programs have the unit's, which systemd made. A program may be gone before journald looks at what it
 * wrote, and then journald knows the unit only of such a stream: "journalctl -u" would not find it. Here
 * journald itself keeps the lines of several processes apart.
 *
 * The lines of a request end with it: without that, journald waits for the rest of the last one, and takes
 * the next request's for it. An empty line does that, of which journald makes no record; it costs a system
 * call, so only requests that may have written pay for it. How would we know? A script reaches the
 * descriptors by few functions of the C library: dup(2) is what php://stderr and php://stdout are to libphp,
 * and programs are started by popen(3) and fork(2), or in later PHPs by posix_spawn(3). So these stand
 * before the library's (ld.so(8) asks the program first). An extension that writes there itself, by
 * fprintf(3), is on its own.
 */

#include "worker/php/internal.h"

#include <dlfcn.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum Stream {
        STREAM_WORKER,
        STREAM_UNIT,
        _STREAM_MAX,
} Stream;

static struct {
        bool there; /* the descriptors, both */
        int fds[_STREAM_MAX];
        bool used[_STREAM_MAX]; /* by the request at hand: there may be part of a line */
} streams;

void php_set_streams(int worker, int unit)
{
        streams.fds[STREAM_WORKER] = worker;
        streams.fds[STREAM_UNIT] = unit;
        streams.there = true;
}

/* Ends what there is of a line. It is not waited for. */
static void end_line(Stream stream)
{
        int saved = errno;

        if (send(streams.fds[stream], "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ENOTSOCK)
                (void) !write(streams.fds[stream], "\n", 1); /* the manager reads it */
        errno = saved;
}

/* Something is about to be written, perhaps behind what the end of another request could not end. */
static void note_use(Stream stream)
{
        if (!streams.there || streams.used[stream] || !php_request())
                return;
        streams.used[stream] = true;
        end_line(stream);
}

void stderr_end_request(void)
{
        for (Stream i = 0; i < _STREAM_MAX; i++) {
                if (streams.used[i])
                        end_line(i);
                streams.used[i] = false;
        }
}

/* Makes it standard output and error; where that is refused they stay what they were. */
static void use(Stream stream)
{
        int saved = errno;

        if (!streams.there)
                return;
        (void) dup2(streams.fds[stream], STDOUT_FILENO);
        (void) dup2(streams.fds[stream], STDERR_FILENO);
        errno = saved;
}

/* ---- The C library's ---- */

int dup(int fd)
{
        int (*next)(int) = (int (*)(int)) dlsym(RTLD_NEXT, "dup");

        if (fd == STDOUT_FILENO || fd == STDERR_FILENO)
                note_use(STREAM_WORKER);
        return next(fd);
}

pid_t fork(void)
{
        pid_t (*next)(void) = (pid_t(*)(void)) dlsym(RTLD_NEXT, "fork");
        pid_t pid;

        note_use(STREAM_UNIT);
        pid = next();
        if (pid == 0)
                use(STREAM_UNIT);
        return pid;
}

FILE *popen(const char *command, const char *mode)
{
        FILE *(*next)(const char *, const char *) =
                        (FILE * (*) (const char *, const char *) ) dlsym(RTLD_NEXT, "popen");
        FILE *f;

        note_use(STREAM_UNIT);
        use(STREAM_UNIT);
        f = next(command, mode);
        use(STREAM_WORKER);
        return f;
}

typedef int Spawn(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                  const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);

static int spawn(const char *name, pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
        Spawn *next = (Spawn *) dlsym(RTLD_NEXT, name);
        int r;

        note_use(STREAM_UNIT);
        use(STREAM_UNIT);
        r = next(pid, file, actions, attributes, argv, envp);
        use(STREAM_WORKER);
        return r;
}

int posix_spawn(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
        return spawn("posix_spawn", pid, file, actions, attributes, argv, envp);
}

int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
        return spawn("posix_spawnp", pid, file, actions, attributes, argv, envp);
}
