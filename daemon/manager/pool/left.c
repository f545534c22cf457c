/* SPDX-License-Identifier: MIT */

/*
 * Programs that requests left running: see left.h. The kernel's list of our children is all that it reads,
 * and one name. It signals nobody and waits for nobody: reap.c does when they end.
 */

#include "manager/pool/left.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/utf8.h"

/* The longest list: of a hundred thousand children. */
#define LIST_MAX ((size_t) 1024 * 1024)

void left_pick(const char *list, pid_t own, Left *ret)
{
        pid_t before = ret->pid;
        char *end;

        *ret = (Left){};
        for (long pid; (pid = strtol(list, &end, 10)) > 0; list = end) {
                if (pid == own)
                        continue;
                ret->n++;
                if (ret->pid == 0 || pid == before)
                        ret->pid = (pid_t) pid;
        }
}

/* It may have ended meanwhile: then it has no name. */
static void read_name(Left *l)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        char path[64];
        ssize_t n;

        (void) snprintf(path, sizeof path, "/proc/%d/comm", l->pid);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        n = fd >= 0 ? read(fd, l->name, sizeof l->name - 1) : 0;
        l->name[MAX(n, (ssize_t) 0)] = 0;
        l->name[strcspn(l->name, "\n")] = 0;
        utf8_make_printable(l->name);
        if (!l->name[0])
                strcpy(l->name, "?");
}

int left_look(pid_t own, Left *ret)
{
        _cleanup_(fd_closep) int fd = -EBADF;
        _cleanup_(freep) void *list = NULL;
        size_t size;
        int r;

        fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : io_read_file(fd, LIST_MAX, &list, &size);
        if (r < 0) {
                *ret = (Left){};
                return r;
        }
        left_pick(list, own, ret);
        if (ret->n > 0)
                read_name(ret);
        return 0;
}

void left_tell(const Left *l, const char *message_id, const char *sentence)
{
        char pid[16], count[24];

        assert(l->n > 0);
        (void) snprintf(pid, sizeof pid, "%d", l->pid);
        (void) snprintf(count, sizeof count, "%zu", l->n);
        (void) log_record(LOG_NOTICE, 0, message_id,
                          (LogField[]){
                                          { "PHP_LEFT_PID", pid },
                                          { "PHP_LEFT_COMM", l->name },
                                          { "PHP_LEFT_COUNT", count },
                                          {},
                          },
                          "%s: process %s (%s)%s.", sentence, pid, l->name, l->n > 1 ? " and others" : "");
}
