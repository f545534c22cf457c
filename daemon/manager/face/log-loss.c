/* SPDX-License-Identifier: MIT */

/*
 * What the manager's log has lost: see log-loss.h. The log itself tells it with its next record
 * (base/log.h); here it is told when no record comes. Nothing is counted here, and nothing waits.
 */

#include "manager/face/log-loss.h"

#include "base/log.h"
#include "base/losses.h"

#define ACCURACY (100 * USEC_PER_MSEC)

struct LogLoss {
        sd_event_source *post_source;
        sd_event_source *timer_source; /* runs while there is something to tell */
};

static int on_turn(sd_event_source *s _unused_, void *userdata)
{
        LogLoss *l = userdata;
        int enabled;

        if (log_tell_lost(/* now= */ false) ||
            (sd_event_source_get_enabled(l->timer_source, &enabled) >= 0 && enabled != SD_EVENT_OFF))
                return 0;
        (void) sd_event_source_set_time_relative(l->timer_source, LOSSES_RETRY);
        (void) sd_event_source_set_enabled(l->timer_source, SD_EVENT_ONESHOT);
        return 0;
}

/* Where it cannot be told now either, the end of this turn sets the timer again. */
static int on_timer(sd_event_source *s _unused_, uint64_t usec _unused_, void *userdata _unused_)
{
        (void) log_tell_lost(/* now= */ true);
        return 0;
}

int log_loss_new(sd_event *event, LogLoss **ret)
{
        _cleanup_(log_loss_freep) LogLoss *l = NULL;
        int r;

        l = calloc(1, sizeof *l);
        if (!l)
                return -ENOMEM;
        r = sd_event_add_post(event, &l->post_source, on_turn, l);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(l->post_source, "log-loss");

        r = sd_event_add_time(event, &l->timer_source, CLOCK_MONOTONIC, USEC_INFINITY, ACCURACY, on_timer,
                              l);
        if (r < 0)
                return r;
        (void) sd_event_source_set_enabled(l->timer_source, SD_EVENT_OFF);
        (void) sd_event_source_set_description(l->timer_source, "log-loss-retry");
        *ret = TAKE_PTR(l);
        return 0;
}

void log_loss_free(LogLoss *l)
{
        if (!l)
                return;
        sd_event_source_disable_unref(l->post_source);
        sd_event_source_disable_unref(l->timer_source);
        free(l);
}
