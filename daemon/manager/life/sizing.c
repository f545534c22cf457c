/* SPDX-License-Identifier: MIT */

/*
 * How many workers the current generation has: see sizing.h. decide/policy.c says what is wanted; here it is
 * ordered, and what is to wake the manager next is noted: on the scoreboard, and in the book.
 */

#include "manager/life/sizing.h"

#include <sys/socket.h>

#include "base/log.h"
#include "base/messages.h"
#include "manager/decide/policy.h"
#include "manager/life/idle.h"
#include "manager/pool/generation-count.h"

/*
 * After so many workers in a row that did not survive their start, the service fails; Restart= starts it
 * anew.
 */
#define STILLBORN_MAX 20

/* A batch counts as "a moment ago" for this long. */
#define BURST_USEC (200 * USEC_PER_MSEC)

/* Whether the pool is full and connections wait. Only where it is full, the queue is looked at. */
static SaturationStep note_saturation(Pool *p, const PoolView *v, bool reached, usec_t now)
{
        SaturationView view = {
                .reached = reached,
                .idle = v->idle,
                .waiting = reached && v->idle == 0 && queue_waiting(p->queue),
                .woken = v->demand,
                .now = now,
        };
        SaturationStep step = saturation_note(&p->sizing.saturation, &view);

        if (step.tell)
                (void) log_record(LOG_WARNING, 0, MESSAGE_ID(MAX_CHILDREN), NULL,
                                  "Pool %s has reached pm.max_children = %llu and connections wait, "
                                  "consider raising it.",
                                  p->name, (unsigned long long) p->current->config->pm_max_children);
        return step;
}

static PoolView pool_view(const Pool *p, usec_t now)
{
        const Generation *g = p->current;
        GenerationCount count = generation_count(g);
        const Sizing *s = &p->sizing;

        return (PoolView){
                .idle = count.idle,
                .busy = count.busy,
                .starting = count.starting,
                .old = count.retiring + pool_retired_alive(p),
                .expired = count.expired,
                .expiry = count.expiry,
                .last = now < s->last_spawn + BURST_USEC ? s->last_batch : 0,
                .sized = g->sized,
                .demand = s->demand || parking_waiting(p->parking),
                .tick = s->tick > 0 && now >= s->tick,
        };
}

static void order_workers(Pool *p, size_t n, usec_t now)
{
        Generation *g = p->current;
        size_t allowed;
        usec_t again;
        int r;

        allowed = respawn_take(&p->deaths.respawn, now, g->config->pm_max_spawn_rate, n, &again);
        if (allowed < n)
                p->sizing.hold_spawn = again;
        if (allowed == 0)
                return;

        r = generation_spawn(g, allowed);
        if (r < 0) {
                (void) log_warning_errno(r, "Failed to order %zu workers, trying again: %m", allowed);
                g->n_stillborn++;
                pool_hold_spawn(p, g->n_stillborn);
                return;
        }
        p->sizing.last_spawn = now;
        p->sizing.last_batch = (size_t) r;
}

/* Never moves the next maintenance to a later time: steps in between must not put it off for ever. */
static void schedule_tick(Sizing *s, usec_t now, usec_t again, usec_t *earliest)
{
        if (again == 0)
                s->tick = 0;
        else if (s->tick == 0 || now + again < s->tick)
                s->tick = now + again;
        earlier(earliest, s->tick);
}

/*
 * Has the board wake the manager when the idle workers leave these bounds. Where they have left them while
 * this was set, takes another step.
 */
static void arm_board(Pool *p, const PoolStep *step, size_t idle_before)
{
        Generation *g = p->current;
        size_t idle;

        scoreboard_arm(g->workers.board, step->least, step->surplus);
        idle = generation_count(g).idle;
        if ((idle < idle_before && idle < step->least) ||
            (idle > idle_before && step->surplus > 0 && idle >= step->surplus))
                pool_changed(p);
}

static void carry_out(Pool *p, const PoolView *view, usec_t now, usec_t *earliest)
{
        Generation *g = p->current;
        PoolStep step = pool_decide(g->config, view);
        SaturationStep full = note_saturation(p, view, step.saturated, now);

        step.least = MAX(step.least, full.least);
        earlier(earliest, full.again);
        workers_retire_idle(&g->workers, step.retire);

        if (step.spawn > 0 && now >= p->sizing.hold_spawn)
                order_workers(p, step.spawn, now);
        if (step.spawn > 0 && now < p->sizing.hold_spawn) {
                p->sizing.demand = view->demand; /* for the step in which ordering is allowed again */
                earlier(earliest, p->sizing.hold_spawn);
        } else if (!step.more)
                g->sized = true;

        p->sizing.watch = step.watch || full.watch;
        schedule_tick(&p->sizing, now, step.again, earliest);
        arm_board(p, &step, view->idle);
}

/* Ends the pool where no worker survives its start, and says whether it does. */
static bool give_up_on_starts(Pool *p)
{
        Generation *g = p->current;

        if (g->fork_failed) {
                g->fork_failed = false;
                pool_hold_spawn(p, MAX(g->n_stillborn, 1U));
        }
        if (g->n_stillborn < STILLBORN_MAX || generation_alive(g) > 0)
                return false;
        (void) log_record(LOG_ERR, 0, MESSAGE_ID(RESPAWN_LIMIT), NULL,
                          "Pool %s gives up: %u workers in a row did not survive their start.", p->name,
                          g->n_stillborn);
        pool_ask_stop(p, STOP_RESPAWN_LIMIT);
        return true;
}

void sizing_step(Pool *p, usec_t now, usec_t *earliest)
{
        PoolView view;

        if (give_up_on_starts(p))
                return;
        if (generation_has_template(p->current)) {
                view = pool_view(p, now);
                totals_note_active(&p->totals, view.busy);
                p->sizing.demand = false; /* which the view has now */
                if (view.tick)
                        p->sizing.tick = 0;
                view.leaving = idle_is_due(p, &view, now, earliest);
                if (view.leaving && idle_may_leave(p, &view, now, earliest)) {
                        pool_ask_stop(p, STOP_IDLE);
                        return;
                }
                carry_out(p, &view, now, earliest);
        }
        earlier(earliest, generation_check_starts(p->current, now));
}

/*
 * A wake-up of a worker tells it of one connection at each socket, and nobody else (EPOLLEXCLUSIVE); if it
 * dies before it takes that, idle workers sleep on. One that waits is parked: it goes to one of them.
 */
void sizing_rouse(Pool *p)
{
        if (p->life.state >= POOL_DRAINING || !p->current || generation_count(p->current).idle == 0)
                return;
        for (size_t i = 0; i < p->listen.n && !parking_is_full(p->parking); i++) {
                int fd, r;

                fd = accept4(p->listen.sockets[i].fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (fd < 0)
                        continue;
                r = parking_adopt(p->parking, p->listen.sockets[i].protocol, fd);
                if (r < 0)
                        (void) log_warning_errno(r, "Failed to park a new connection, closing it: %m");
        }
        parking_rouse(p->parking);
}
