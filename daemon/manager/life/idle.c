/* SPDX-License-Identifier: MIT */

/*
 * idle_exit: see idle.h. The pool looks at nothing before it is due. Then workers end, and the pool looks,
 * each time that a connection goes or a process ends, what it has to stay for. draining.c ends the pool.
 */

#include "manager/life/idle.h"

#include <stdio.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/pool/generation-count.h"

bool idle_is_due(Pool *p, const PoolView *v, usec_t now, usec_t *earliest)
{
        Idle *i = &p->sizing.idle;
        usec_t due;

        i->leaving = false;
        if (p->current->config->idle_exit == 0 || p->life.state != POOL_RUNNING)
                return false;
        if (v->busy > 0 || v->starting > 0 || v->demand)
                i->last_active = now;
        i->last_active = MAX(i->last_active, generation_last_active(p->current));

        due = usec_add(i->last_active, p->current->config->idle_exit);
        if (now < due)
                earlier(earliest, due);
        i->leaving = now >= due;
        if (!i->leaving)
                i->left.n = 0;
        return i->leaving;
}

/* True when no program is left that would be killed. */
static bool look_for_programs(Pool *p, usec_t now, usec_t *earliest)
{
        usec_t after = MIN(IDLE_TELL_AFTER, p->current->config->idle_exit);
        Idle *i = &p->sizing.idle;
        bool waited = i->left.n > 0;
        int r;

        r = left_look(template_pid(p->current->template), &i->left);
        if (r < 0 && !i->blind) {
                i->blind = true;
                (void) log_warning_errno(r,
                                         "The system does not tell whether programs run that requests left, "
                                         "idle_exit ends them: %m");
        }
        if (i->left.n == 0)
                return true;
        if (!waited)
                i->left_since = now;
        if (i->left.pid == i->left_told)
                return false;
        if (now < usec_add(i->left_since, after))
                earlier(earliest, usec_add(i->left_since, after));
        else {
                i->left_told = i->left.pid;
                left_tell(&i->left, MESSAGE_ID(LEFT_RUNNING),
                          "The pool has nothing to do, but does not exit while programs run that requests "
                          "started and left");
        }
        return false;
}

bool idle_may_leave(Pool *p, const PoolView *v, usec_t now, usec_t *earliest)
{
        if (v->idle + v->busy + v->starting + v->old > 0 || p->retired || parking_count(p->parking) > 0) {
                p->sizing.idle.left.n = 0;
                return false;
        }
        return look_for_programs(p, now, earliest);
}

void idle_waits_for(const Pool *p, char text[IDLE_TEXT_MAX])
{
        const Left *left = &p->sizing.idle.left;
        size_t connections = parking_count(p->parking);

        text[0] = 0;
        if (!p->sizing.idle.leaving || p->life.state != POOL_RUNNING)
                return;
        if (connections > 0)
                (void) snprintf(text, IDLE_TEXT_MAX, "idle_exit waits for %zu kept connections",
                                connections);
        else if (left->n > 0)
                (void) snprintf(text, IDLE_TEXT_MAX,
                                "idle_exit waits for programs that requests left: %zu, process %d (%s)",
                                left->n, left->pid, left->name);
}
