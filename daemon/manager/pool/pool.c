/* SPDX-License-Identifier: MIT */

/*
 * The book of the pool: see pool.h. It decides nothing and tells nobody; what is written here beside the
 * records is which states may follow each other.
 */

#include "manager/pool/pool.h"

#include "base/fd.h"
#include "base/log.h"
#include "manager/pool/generation-count.h"

/* How long after a question workers measure for the next one: monitoring asks each minute or so. */
#define WATCH_TIME (5 * 60 * USEC_PER_SEC)

static const char *const state_names[] = {
#define POOL_STATE(name, text) [POOL_##name] = text,
        POOL_STATE_LIST
#undef POOL_STATE
};
static_assert(ELEMENTSOF(state_names) == _POOL_STATE_MAX, "every state has a name");

const char *pool_state_to_string(PoolState state)
{
        return state_names[state];
}

#define TO(state) (1U << POOL_##state)

/* Which states may follow. */
static const unsigned followers[_POOL_STATE_MAX] = {
        [POOL_STARTING] = TO(RUNNING) | TO(DRAINING),
        [POOL_RUNNING] = TO(RELOADING) | TO(DRAINING),
        [POOL_RELOADING] = TO(RUNNING) | TO(DRAINING),
        [POOL_DRAINING] = TO(STOPPING),
};

void pool_set_state(Pool *p, PoolState state)
{
        assert(followers[p->life.state] & 1U << state);
        log_debug("Pool %s: %s -> %s.", p->name, state_names[p->life.state], state_names[state]);
        p->life.state = state;
        pool_changed(p); /* other things may be due now */
}

void pool_note_watched(Pool *p)
{
        p->watched_until = now_monotonic() + WATCH_TIME;
        if (!p->watched)
                pool_changed(p);
}

void pool_reload_ended(Pool *p, const char *why)
{
        free(p->reloads.failure);
        p->reloads.failure = why ? strdup(why) : NULL;
        p->reloads.failed = why;
        p->reloads.served = p->reloads.taken;
}

void pool_hold_spawn(Pool *p, unsigned n_failed)
{
        p->sizing.hold_spawn = now_monotonic() + respawn_pause(n_failed);
        p->sizing.last_batch = 0;
}

size_t pool_retired_alive(const Pool *p)
{
        size_t n = 0;

        for (const Generation *old = p->retired; old; old = old->older)
                n += generation_alive(old);
        return n;
}

bool pool_lost_template(const Pool *p)
{
        return p->current && !generation_has_template(p->current) &&
               replacement_hopeless(&p->replacement);
}

void pool_init(Pool *p, const char *name, const char *config_path, Listen *listen)
{
        *p = (Pool){
                .name = name,
                .config_path = config_path,
                .listen = *listen,
                .wake_fd = -EBADF,
                .error_fd = -EBADF,
                .life.started = now_realtime(),
        };
        *listen = (Listen){ .control = -EBADF };
}

void pool_done(Pool *p)
{
        generation_free(p->current);
        generation_free(p->next);
        while (p->retired) {
                Generation *g = p->retired;

                p->retired = g->older;
                generation_free(g);
        }
        queue_free(p->queue);
        parking_free(p->parking);
        sd_event_source_disable_unref(p->step_source);
        fd_close(p->wake_fd);
        fd_close(p->error_fd);
        listen_close(&p->listen);
        free(p->reloads.failure);
        sd_event_unref(p->event);
}
