/* SPDX-License-Identifier: MIT */

/*
 * The worker's epoll set: see sources.h. Everything is level-triggered: what another worker took meanwhile
 * is simply not there, and what nobody took is told again.
 */

#include "worker/serve/sources.h"

#include <sys/epoll.h>

static int watch(Sources *s, int fd, uint32_t events, unsigned source)
{
        struct epoll_event event = { .events = events, .data.u32 = source };

        return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int sources_open(Sources *s, const Inherit *inherit, int retire_fd)
{
        int r;

        *s = (Sources) { .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
        if (s->epoll_fd < 0)
                return -errno;

        for (size_t i = 0; i < inherit->n_listen; i++) {
                r = watch(s, inherit->listen[i].fd, EPOLLIN | EPOLLEXCLUSIVE, (unsigned) i);
                if (r < 0)
                        return r;
        }
        r = watch(s, inherit->handoff, EPOLLIN | EPOLLEXCLUSIVE, SOURCE_HANDOFF);
        if (r < 0)
                return r;
        return watch(s, retire_fd, EPOLLIN, SOURCE_RETIRE);
}

void sources_close(Sources *s)
{
        s->epoll_fd = fd_close(s->epoll_fd);
}

int sources_watch_own(Sources *s, int fd)
{
        int r;

        if (s->own)
                return 0;
        r = watch(s, fd, EPOLLIN, SOURCE_OWN);
        if (r < 0)
                return r;
        s->own = true;
        return 0;
}

void sources_forget_own(Sources *s, int fd)
{
        if (s->own)
                (void) epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
        s->own = false;
}

/* How late a source's turn comes. */
static unsigned distance(const Sources *s, unsigned source)
{
        return (source + _SOURCE_MAX - s->next) % _SOURCE_MAX;
}

static void note_event(const struct epoll_event *event, Work *work)
{
        unsigned source = event->data.u32;

        if (source == SOURCE_RETIRE)
                work->retire = true;
        else if (source == SOURCE_OWN)
                work->own = true;
        else if (source == SOURCE_HANDOFF && !(event->events & EPOLLIN))
                work->retire = true; /* hung up, and nothing left in the queue */
        else
                work->ready |= UINT64_C(1) << source;
}

int sources_wait(Sources *s, usec_t timeout, Work *ret)
{
        int n, ms = timeout == USEC_INFINITY ? -1 : (int) (timeout / USEC_PER_MSEC);
        struct epoll_event events[_SOURCE_MAX];
        Work work = {};

        n = epoll_wait(s->epoll_fd, events, ELEMENTSOF(events), ms);
        if (n < 0 && errno != EINTR)
                return -errno;
        for (int i = 0; i < n; i++)
                note_event(&events[i], &work);
        *ret = work;
        return n != 0;
}

int sources_take(Sources *s, Work *work)
{
        int first = -1;

        for (unsigned i = 0; i <= SOURCE_HANDOFF; i++) {
                if (!(work->ready & UINT64_C(1) << i))
                        continue;
                if (first < 0 || distance(s, i) < distance(s, (unsigned) first))
                        first = (int) i;
        }
        if (first < 0)
                return -1;

        work->ready &= ~(UINT64_C(1) << first);
        s->next = (unsigned) first + 1;
        return first;
}
