/* SPDX-License-Identifier: MIT */

/* Hooks that count: see connection.h. Fuzzers have them, too: nothing here needs cmocka. */

#include "helpers/connection.h"

#include <fcntl.h>
#include <stdio.h>

static void on_reading(void *userdata)
{
        ((HookCalls *) userdata)->reading++;
}

static void on_script_known(void *userdata, const char *script)
{
        HookCalls *calls = userdata;

        (void) snprintf(calls->script, sizeof calls->script, "%s", script);
}

static void on_finishing(void *userdata)
{
        ((HookCalls *) userdata)->finishing++;
}

static void on_waiting(void *userdata, bool begins)
{
        ((HookCalls *) userdata)->waiting += begins ? 1 : 0;
}

static void on_progress(void *userdata)
{
        ((HookCalls *) userdata)->progress++;
}

static void on_released(void *userdata)
{
        ((HookCalls *) userdata)->released++;
}

static void on_closing(void *userdata, int fd, bool late)
{
        HookCalls *calls = userdata;

        assert(fcntl(fd, F_GETFD) >= 0);
        calls->closing++;
        calls->late += late;
}

const ConnectionHooks counting_hooks = {
        .reading = on_reading,
        .script_known = on_script_known,
        .finishing = on_finishing,
        .waiting = on_waiting,
        .progress = on_progress,
        .released = on_released,
        .closing = on_closing,
};
